import { type ErrorCode, isLllmError, LllmError } from '../domain/errors.ts'
import type { ProblemRecord } from '../domain/problem-record.ts'
import type { Redactor } from '../domain/redact.ts'

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Whether the same request may well succeed later. */
  readonly retryable: boolean
  /** What `Retry-After` says when the error itself does not know better. */
  readonly retryAfterMs?: number
}

/** What each error code means to HTTP. */
export const problemKinds: Readonly<Record<ErrorCode, ProblemKind>> = {
  'malformed-request': { status: 400, title: 'Malformed request', retryable: false },
  'request-timeout': { status: 408, title: 'Request timeout', retryable: true },
  'headers-too-large': { status: 431, title: 'Headers too large', retryable: false },
  'misdirected-request': { status: 421, title: 'Misdirected request', retryable: false },
  'origin-forbidden': { status: 403, title: 'Origin forbidden', retryable: false },
  unauthenticated: { status: 401, title: 'Unauthenticated', retryable: false },
  forbidden: { status: 403, title: 'Forbidden', retryable: false },
  'keys-unavailable': { status: 503, title: 'Keys unavailable', retryable: true, retryAfterMs: 5_000 },
  'malformed-json': { status: 400, title: 'Malformed JSON', retryable: false },
  'invalid-parameter': { status: 400, title: 'Invalid parameter', retryable: false },
  'invalid-request': { status: 422, title: 'Invalid request', retryable: false },
  'invalid-task': { status: 422, title: 'Invalid task', retryable: false },
  'route-not-found': { status: 404, title: 'Route not found', retryable: false },
  'unknown-tactic': { status: 404, title: 'Unknown tactic', retryable: false },
  'unknown-config': { status: 404, title: 'Unknown config', retryable: false },
  'unknown-session': { status: 404, title: 'Unknown session', retryable: false },
  'session-expired': { status: 410, title: 'Session expired', retryable: false },
  'unknown-run': { status: 404, title: 'Unknown run', retryable: false },
  'unknown-batch': { status: 404, title: 'Unknown batch', retryable: false },
  'unknown-delivery': { status: 404, title: 'Unknown delivery', retryable: false },
  'run-conflict': { status: 409, title: 'Run conflict', retryable: false },
  'idempotency-conflict': { status: 409, title: 'Request under way', retryable: true, retryAfterMs: 2_000 },
  'idempotency-mismatch': { status: 422, title: 'Idempotency key used before', retryable: false },
  'method-not-allowed': { status: 405, title: 'Method not allowed', retryable: false },
  'not-acceptable': { status: 406, title: 'Not acceptable', retryable: false },
  'payload-too-large': { status: 413, title: 'Payload too large', retryable: false },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type', retryable: false },

  'tactic-failed': { status: 500, title: 'Tactic failed', retryable: false },
  'invalid-result': { status: 500, title: 'Invalid result', retryable: false },
  'reply-unusable': { status: 502, title: 'Reply unusable', retryable: true },
  'provider-failed': { status: 502, title: 'Provider failed', retryable: true },
  'provider-rejected': { status: 502, title: 'Provider rejected the request', retryable: false },
  'provider-rate-limited': { status: 429, title: 'Provider rate limited', retryable: true },
  'remote-failed': { status: 502, title: 'Remote failed', retryable: true },
  'budget-exceeded': { status: 402, title: 'Budget exceeded', retryable: false },
  'unpriced-model': { status: 402, title: 'Unpriced model', retryable: false },
  'deadline-exceeded': { status: 504, title: 'Deadline exceeded', retryable: true },
  // The client is still there but somebody else ended its call: the request conflicts with the state of the call.
  cancelled: { status: 409, title: 'Call cancelled', retryable: true },
  // Nobody reads this answer; the status is for the log.
  'client-closed-request': { status: 499, title: 'Client closed the request', retryable: true },
  // Nobody is told of it but the log: whoever works on the run now tells how it ends.
  'run-fenced': { status: 409, title: 'Run taken over', retryable: false },
  'run-abandoned': { status: 500, title: 'Run abandoned', retryable: false },
  skipped: { status: 424, title: 'Task skipped', retryable: true },

  'dialog-misuse': { status: 500, title: 'Dialog misuse', retryable: false },
  'missing-variables': { status: 500, title: 'Missing variables', retryable: false },

  draining: { status: 503, title: 'Shutting down', retryable: true, retryAfterMs: 5_000 },
  'rate-limited': { status: 429, title: 'Rate limited', retryable: true, retryAfterMs: 60_000 },
  overloaded: { status: 503, title: 'Overloaded', retryable: true, retryAfterMs: 5_000 },
  'store-unavailable': { status: 503, title: 'Store unavailable', retryable: true, retryAfterMs: 5_000 },
  'internal-error': { status: 500, title: 'Internal error', retryable: false },

  // A service that could not boot answers nothing; these are here because the table has no holes.
  'invalid-settings': { status: 500, title: 'Invalid settings', retryable: false },
  'invalid-manifest': { status: 500, title: 'Invalid manifest', retryable: false },
  'invalid-config': { status: 500, title: 'Invalid config', retryable: false },
  'invalid-prompt': { status: 500, title: 'Invalid prompt', retryable: false },
  'invalid-tactic': { status: 500, title: 'Invalid tactic', retryable: false },
  'unknown-prompt': { status: 500, title: 'Unknown prompt', retryable: false },
  'unknown-package': { status: 500, title: 'Unknown package', retryable: false },
  'invalid-archive': { status: 500, title: 'Invalid archive', retryable: false },
  'package-refused': { status: 500, title: 'Package refused', retryable: false },
  'unknown-asset': { status: 500, title: 'Unknown asset', retryable: false },
}

export type Problem = ProblemRecord

/** The request of a problem, and the service that tells it. */
export interface ProblemOrigin {
  readonly requestId: string
  /** What the paths of the service begin with. Default: nothing. */
  readonly prefix?: string
  /** Takes secrets out of what is told. Left out: there are none in it. */
  readonly redactor?: Redactor
}

/** Where a problem arose. */
export interface ProblemContext extends ProblemOrigin {
  /** The path of the request, without its query. */
  readonly instance?: string
  /** Given when a call had begun: its session, and what it cost so far. */
  readonly sessionId?: string
  readonly costUsd?: number | null
}

export const problemMediaType = 'application/problem+json'

export function toProblem(error: LllmError, context: ProblemContext): Problem {
  const problem = describeProblem(error, context)
  return context.redactor === undefined ? problem : context.redactor.allIn(problem)
}

function describeProblem(error: LllmError, context: ProblemContext): Problem {
  const { status, title, retryable } = problemKinds[error.code]
  const { issues, budget } = error.data
  return {
    type: `${context.prefix ?? ''}/docs/errors/${error.code}`,
    title,
    status,
    detail: error.message,
    ...(context.instance === undefined ? {} : { instance: context.instance }),
    code: error.code,
    request_id: context.requestId,
    retryable,
    ...(issues === undefined ? {} : { errors: issues }),
    ...(context.sessionId === undefined ? {} : { session_id: context.sessionId }),
    ...(context.costUsd === undefined ? {} : { cost_usd: context.costUsd }),
    ...(budget === undefined ? {} : { budget }),
  }
}

/** Whole seconds for `Retry-After`, rounded up, or undefined where the header has no place. */
export function retryAfterSeconds(error: LllmError): number | undefined {
  if (!hasRetryAfter(error.code)) return undefined
  const durationMs = error.data.retryAfterMs ?? problemKinds[error.code].retryAfterMs
  return durationMs === undefined ? undefined : Math.max(1, Math.ceil(durationMs / 1000))
}

/** Whether an answer with this code may say when to come back. */
export function hasRetryAfter(code: ErrorCode): boolean {
  const { status, retryAfterMs } = problemKinds[code]
  return status === 429 || status === 503 || retryAfterMs !== undefined
}

/** What Fastify's own errors are called here. */
const fastifyCodes: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', ['payload-too-large', 'The body is larger than this service accepts.']],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', ['unsupported-media-type', 'Send the body as application/json.']],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', ['malformed-request', 'The body is not as long as Content-Length says.']],
  ['FST_ERR_ROUTE_MISSING_CONTENT_TYPE', ['unsupported-media-type', 'This method needs a Content-Type.']],
  ['FST_ERR_BAD_URL', ['invalid-parameter', 'The path holds a percent-encoding that is none.']],
  ['FST_ERR_MAX_PARAM_LENGTH', ['invalid-parameter', 'A part of the path is too long.']],
  ['ECONNRESET', ['client-closed-request', 'The client went away before its request was complete.']],
])

/** Whether Fastify itself found a fault in a request that has a name here. */
export function isFrameworkFault(error: unknown): boolean {
  return fastifyCodes.has(codeOf(error))
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** Any exception as one of ours. Nothing of the text of an exception that we do not know is kept, other than as its cause. */
export function asLllmError(error: unknown): LllmError {
  if (isLllmError(error)) return error
  const known = fastifyCodes.get(codeOf(error))
  if (known !== undefined) return new LllmError(known[0], known[1], {}, { cause: error })
  return new LllmError(
    'internal-error',
    'Something went wrong in the service itself; its log says more.',
    {},
    { cause: error },
  )
}
