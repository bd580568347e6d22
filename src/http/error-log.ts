import type { Redactor } from '../domain/redact.ts'

/** Causes are followed this far. */
const causesMax = 5

export interface ErrorLog {
  readonly name: string
  readonly stack: string
  readonly cause?: ErrorLog
}

/**
 * An exception for the log: names, messages and stacks, also of its causes. Other properties are left out, because the
 * exceptions of HTTP clients carry requests, and with them keys.
 *
 * @param redactor Takes secrets out of the texts. Left out: whoever writes the log does that.
 */
export function toErrorLog(error: unknown, redactor?: Pick<Redactor, 'all'>, depth = 0): ErrorLog {
  if (!(error instanceof Error)) return { name: typeof error, stack: '' }
  const { name, stack, message, cause } = error
  const told = stack ?? message
  return {
    name,
    stack: redactor === undefined ? told : redactor.all(told),
    ...(cause === undefined || depth >= causesMax ? {} : { cause: toErrorLog(cause, redactor, depth + 1) }),
  }
}
