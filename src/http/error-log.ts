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
  const keep = (text: string) => (redactor === undefined ? text : redactor.all(text))
  if (!(error instanceof Error)) {
    const isObject = typeof error === 'object' || typeof error === 'function'
    return { name: typeof error, stack: isObject ? '' : keep(String(error)) }
  }
  const { name, stack, message, cause } = error
  return {
    name,
    stack: keep(stack ?? message),
    ...(cause === undefined || depth >= causesMax ? {} : { cause: toErrorLog(cause, redactor, depth + 1) }),
  }
}
