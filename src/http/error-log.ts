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
 */
export function toErrorLog(error: unknown, depth = 0): ErrorLog {
  if (!(error instanceof Error)) return { name: typeof error, stack: '' }
  const { name, stack, message, cause } = error
  return {
    name,
    stack: stack ?? message,
    ...(cause === undefined || depth >= causesMax ? {} : { cause: toErrorLog(cause, depth + 1) }),
  }
}
