import { type ExitCode, exitCodeAfter, exitCodes } from './exit-code.ts'
import type { Interruption, Shell } from './shell.ts'

export interface Interrupts {
  /** How many stages of the work were asked to end. */
  readonly count: number
  /** What the command ends with because of them. */
  readonly exitCode: ExitCode
}

/** Asks work to end. */
export type Stage = (interruption: Interruption) => void

/** Whether somebody asked for the end, who is to be told what comes of that. */
export function isSignal(interruption: Interruption): boolean {
  return interruption === 'SIGINT' || interruption === 'SIGTERM'
}

/**
 * Does work that heeds Ctrl-C and SIGTERM: each calls the next of the stages, which ask it to end, more and more firmly. One
 * more than there are stages, and nobody waits for the work any longer: its end is the end of the process. Once the output takes
 * nothing more, all stages are called: what is under way ends as soon as its sessions are stored.
 */
export async function withInterrupts(
  shell: Shell,
  stages: readonly Stage[],
  work: (interrupts: Interrupts) => Promise<ExitCode>,
): Promise<ExitCode> {
  const state: { count: number; exitCode: ExitCode } = { count: 0, exitCode: exitCodes.interrupted }
  let isOutputLost = false
  const givenUp = Promise.withResolvers<ExitCode>()
  const stopListening = shell.onInterrupt((interruption) => {
    // Ctrl-C reaches both ends of a pipe, and it is what ended the command.
    if (state.count === 0 || isSignal(interruption)) state.exitCode = exitCodeAfter(interruption)
    if (isSignal(interruption) && state.count >= stages.length) givenUp.resolve(state.exitCode)
    isOutputLost ||= !isSignal(interruption)
    const asked = stages.slice(state.count, isOutputLost ? stages.length : state.count + 1)
    state.count += asked.length
    for (const stage of asked) stage(interruption)
  })
  try {
    const exitCode = await Promise.race([work(state), givenUp.promise])
    return isOutputLost ? state.exitCode : exitCode
  } finally {
    stopListening()
  }
}
