import { type ErrorCode, type ErrorData, isLllmError, LllmError } from '../domain/errors.ts'
import type { BoundTactic } from './engine.ts'

/** Codes that blame the request of whoever called. Thrown inside a tactic, they are about a request that the tactic made. */
const requestCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid-request',
  'invalid-task',
  'unknown-tactic',
  'unknown-config',
])

/** An exception of the author's code: its message may hold anything, so it stays in the cause, for the log. */
export function toTacticError(error: unknown, { name }: BoundTactic): LllmError {
  if (!isLllmError(error)) {
    return new LllmError('tactic-failed', `The code of the tactic "${name}" threw an exception.`, {}, { cause: error })
  }
  if (!requestCodes.has(error.code)) return error
  const message = `The code of the tactic "${name}" made a call that does not fit. ${error.message}`
  return new LllmError('tactic-failed', message, {}, { cause: error })
}

/** An author may throw an error with data of any kind; what JSON cannot carry would spoil the record. */
export function toPlainData(data: ErrorData): ErrorData {
  try {
    return JSON.parse(JSON.stringify(data)) as ErrorData
  } catch {
    return {}
  }
}
