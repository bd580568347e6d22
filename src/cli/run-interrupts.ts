import { type ExitCode, exitCodes } from './exit-code.ts'
import type { Shell } from './shell.ts'

export interface Interrupts {
  /** How many there were. */
  readonly count: number
  /** What the command ends with because of them. */
  readonly exitCode: ExitCode
}

/**
 * Does work that heeds Ctrl-C and SIGTERM: each calls the next of the stages, which ask it to end, more and more firmly. One
 * more than there are stages, and nobody waits for the work any longer: its end is the end of the process.
 */
export async function withInterrupts(
  shell: Shell,
  stages: readonly (() => void)[],
  work: (interrupts: Interrupts) => Promise<ExitCode>,
): Promise<ExitCode> {
  const state: { count: number; exitCode: ExitCode } = { count: 0, exitCode: exitCodes.interrupted }
  const givenUp = Promise.withResolvers<ExitCode>()
  const stopListening = shell.onInterrupt((signal) => {
    state.exitCode = signal === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted
    const stage = stages[state.count++]
    if (stage === undefined) givenUp.resolve(state.exitCode)
    else stage()
  })
  try {
    return await Promise.race([work(state), givenUp.promise])
  } finally {
    stopListening()
  }
}
