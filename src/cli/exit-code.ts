import type { ErrorCode } from '../domain/errors.ts'
import type { Interruption } from './shell.ts'

/** How a command ended, for the scripts that called it. The docs have them in a table. */
export const exitCodes = {
  done: 0,
  /** The work was tried, and it, or a part of it, failed; or what it needs has a mistake. */
  failed: 1,
  /** The command was called in a way that it does not understand: nothing was tried. */
  misused: 2,
  /** A limit that somebody set ended it: a budget, or its time. */
  limited: 3,
  /** A bug of this program. */
  bug: 70,
  /** Ended by Ctrl-C, as a shell says it: 128 and the number of the signal. */
  interrupted: 130,
  /** Whoever read the output has gone: `| head`. */
  pipeClosed: 141,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const interruptedCodes: Readonly<Record<Interruption, ExitCode>> = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  'pipe-closed': exitCodes.pipeClosed,
  'output-failed': exitCodes.failed,
}

/** What a command ends with because of an interruption. */
export function exitCodeAfter(interruption: Interruption): ExitCode {
  return interruptedCodes[interruption]
}

/** Errors that say that a command was called wrongly. */
const misuses: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid-parameter',
  'invalid-request',
  'invalid-task',
  'unknown-tactic',
  'unknown-config',
  'unknown-session',
  'unknown-package',
])

const limits: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['budget-exceeded', 'unpriced-model', 'deadline-exceeded'])

export function exitCodeOf(code: ErrorCode): ExitCode {
  if (code === 'internal-error') return exitCodes.bug
  if (limits.has(code)) return exitCodes.limited
  return misuses.has(code) ? exitCodes.misused : exitCodes.failed
}
