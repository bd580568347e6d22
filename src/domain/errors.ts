import type { LimitExcess } from './limits.ts'

/**
 * Everything that can go wrong on purpose. A code is stable: clients, tests and the docs (one section each) rely on it.
 * What a code means to HTTP is said in one table in `http/problem.ts`.
 */
export const errorCodes = {
  // The caller's request
  'malformed-request': 'The request is not sound HTTP.',
  'request-timeout': 'The request did not arrive in time.',
  'headers-too-large': 'The headers of the request are larger than the service accepts.',
  'misdirected-request': 'The service does not answer for the host of the request.',
  'origin-forbidden': 'The page that sent the request is of an origin that may not use the service.',
  unauthenticated: 'The request has no key, or one that is nobody’s.',
  forbidden: 'The key does not have the scope that this takes.',
  'keys-unavailable': 'Whose the token is cannot be found out now.',
  'malformed-json': 'The body is not JSON.',
  'invalid-parameter': 'A path or query parameter does not fit.',
  'invalid-request': 'The body does not fit the envelope of this route.',
  'invalid-task': 'The task does not fit the input schema of the tactic.',
  'route-not-found': 'No route has this path.',
  'unknown-tactic': 'No tactic has this name.',
  'unknown-config': 'The tactic has no config of this name.',
  'unknown-session': 'No session has this id.',
  'session-expired': 'The texts of the session or run are not kept any more.',
  'unknown-run': 'No run has this id.',
  'unknown-batch': 'No batch of runs has this id.',
  'unknown-delivery': 'The run has no webhook delivery of this id.',
  'run-conflict': 'The run is in a state in which this cannot be done.',
  'idempotency-conflict': 'A request with the same Idempotency-Key is still under way.',
  'idempotency-mismatch': 'The Idempotency-Key was used for another request.',
  'method-not-allowed': 'The route exists, but not with this method.',
  'not-acceptable': 'No representation fits the Accept header.',
  'payload-too-large': 'The body is larger than the service accepts.',
  'unsupported-media-type': 'The body has a content type that the service does not read.',
  // The call
  'tactic-failed': 'The code of the tactic threw an exception.',
  'invalid-result': 'The tactic returned a result that does not fit its output schema.',
  'reply-unusable': 'The model gave no usable reply within the allowed retries.',
  'provider-failed': 'The provider of the model failed, or could not be reached, within the allowed recalls.',
  'provider-rejected': 'The provider refused the request as invalid; asking again would not help.',
  'provider-rate-limited': 'The provider limits the rate of requests, and waiting did not help.',
  'remote-failed':
    'The service of a remote tactic failed, could not be reached, or gave an answer that cannot be used.',
  'budget-exceeded': 'The call would pass a limit: its budget, or another that it counts against.',
  'unpriced-model': 'The call has a budget, but the price of its model is not known.',
  'deadline-exceeded': 'The call ran out of its time.',
  cancelled: 'The call was cancelled.',
  'client-closed-request': 'The client went away before the answer.',
  'run-fenced': 'Another process works on the run now.',
  'run-abandoned': 'The run was started too often without coming to an end.',
  skipped: 'The task was never started, because the batch had failed before.',
  // The author's use of agents and prompts
  'dialog-misuse': 'A dialog was opened, forked, switched or closed in a way that it does not allow.',
  'missing-variables': 'A prompt was rendered without a value for one of its variables.',
  // The service
  draining: 'The service is shutting down.',
  'rate-limited': 'More requests came from one caller than it may send in a minute.',
  overloaded: 'The service has more work than it accepts.',
  'store-unavailable': 'The session store does not answer.',
  'internal-error': 'A bug of the service.',
  // What stops a boot
  'invalid-settings': 'An environment variable has a value that does not fit.',
  'invalid-manifest': 'lllm.toml has a mistake.',
  'invalid-config': 'A config file has a mistake.',
  'invalid-prompt': 'A prompt file has a mistake.',
  'invalid-tactic': 'A tactic file has a mistake.',
  'unknown-prompt': 'No prompt has this path.',
  'unknown-asset': 'No file of a package has this address, or it cannot be read.',
  'unknown-package': 'No package has this name.',
  'invalid-archive': 'The archive holds no package that may be installed.',
  'package-refused': 'A package cannot be exported, installed or removed as things are.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** One place in an input that does not fit. `pointer` is a JSON Pointer (RFC 6901) into the whole input. */
export interface Issue {
  readonly pointer: string
  readonly message: string
}

/** Plain data beside a message. It never holds a live object, a secret, or a text that a provider or an exception wrote. */
export interface ErrorData {
  /** Which limit was in the way. */
  readonly budget?: LimitExcess
  readonly issues?: readonly Issue[]
  readonly retryAfterMs?: number
  readonly file?: string
  readonly known?: readonly string[]
  readonly [key: string]: unknown
}

const brand = Symbol.for('lllm.error')

/** An error whose message may be shown to whoever called: it says what was wrong, where, and what would be right. */
export class LllmError extends Error {
  readonly code: ErrorCode
  readonly data: ErrorData
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'LllmError'
    this.code = code
    this.data = data
  }
}

/** Holds for errors of another copy of this module as well, which `instanceof` does not. */
export function isLllmError(error: unknown): error is LllmError {
  return typeof error === 'object' && error !== null && brand in error
}

/** Names the alternatives, the likeliest first: `"reseacher". Did you mean "researcher"? Known: …`. */
export function listKnown(wanted: string, known: readonly string[], shownMax = 20): string {
  if (known.length === 0) return 'There are none.'
  const near = known.find((name) => isNear(wanted, name))
  const shown = known.slice(0, shownMax).join(', ')
  const rest = known.length > shownMax ? ` and ${known.length - shownMax} more` : ''
  return `${near ? `Did you mean "${near}"? ` : ''}Known: ${shown}${rest}.`
}

/** Whether two names differ by at most two edits (Levenshtein distance), over at most 64 characters. */
function isNear(left: string, right: string): boolean {
  const a = left.toLowerCase().slice(0, 64)
  const b = right.toLowerCase().slice(0, 64)
  if (Math.abs(a.length - b.length) > 2) return false
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return (previous[b.length] ?? 3) <= 2
}
