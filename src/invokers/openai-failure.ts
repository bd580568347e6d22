import { APIError } from 'openai'
import { ProviderError } from '../domain/invoker.ts'

/**
 * Makes a {@link ProviderError} of what the SDK threw; anything else, a bug, is given back as it is.
 *
 * What the provider wrote is dropped: it may quote the prompt, or the key.
 */
export function toProviderError(thrown: unknown): unknown {
  if (!(thrown instanceof APIError)) return thrown
  if (thrown.status !== undefined) return statusError(thrown.status, thrown.headers, thrown.code)
  if (thrown.cause instanceof ProviderError) return thrown.cause
  return new ProviderError('unreachable', 'The provider could not be reached.', { mayBeBilled: true, cause: thrown })
}

function statusError(status: number, headers: ReplyHeaders | undefined, code: unknown): ProviderError {
  const retryAfterMs = headers === undefined ? null : readRetryAfterMs(headers)
  if (status === 429) {
    const message = refusals.get(code) ?? 'The provider limits the rate of requests.'
    return new ProviderError('rate-limited', `${message} (HTTP 429)`, { status, retryAfterMs })
  }
  if (status === 408 || status === 409 || status >= 500) {
    return new ProviderError('failed', `The provider failed. (HTTP ${status})`, { status, retryAfterMs })
  }
  const message = refusals.get(code) ?? refusals.get(status) ?? 'The provider refused the request.'
  return new ProviderError('rejected', `${message} (HTTP ${status})`, { status, retryAfterMs })
}

/** What the commonest refusals mean, by the provider's error code or by the status. */
const refusals: ReadonlyMap<unknown, string> = new Map<string | number, string>([
  ['context_length_exceeded', 'The messages are longer than the model can read.'],
  ['insufficient_quota', 'The account at the provider has no credit left.'],
  ['model_not_found', 'The provider does not have this model, or not for this key.'],
  [301, 'The provider redirects, which is not followed: correct the base URL.'],
  [302, 'The provider redirects, which is not followed: correct the base URL.'],
  [307, 'The provider redirects, which is not followed: correct the base URL.'],
  [308, 'The provider redirects, which is not followed: correct the base URL.'],
  [400, 'The provider refused the request as invalid: look at the model, its model_args and its schemas.'],
  [401, 'The provider did not accept the API key.'],
  [403, 'The provider does not allow this request with this key.'],
  [404, 'The provider has no such model, or no such address: look at the model and the base URL.'],
  [413, 'The request is larger than the provider accepts.'],
  [422, 'The provider refused the request as invalid: look at the model, its model_args and its schemas.'],
])

interface ReplyHeaders {
  get(name: string): string | null
}

/** How long a provider asks to wait, in milliseconds. `Retry-After` is in seconds, or a date. */
function readRetryAfterMs(headers: ReplyHeaders): number | null {
  const exact = readNumber(headers.get('retry-after-ms'))
  if (exact !== null) return exact
  const text = headers.get('retry-after')
  const seconds = readNumber(text)
  if (seconds !== null) return seconds * 1000
  // Date.parse would read almost anything as a date, also a negative number.
  if (text === null || !/^[A-Za-z]{3}/.test(text)) return null
  // A date is meant by the provider's own clock, which its `Date` tells.
  const waitMs = Date.parse(text) - Date.parse(headers.get('date') ?? new Date().toUTCString())
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}

function readNumber(text: string | null): number | null {
  return text !== null && /^\s*\d{1,10}(\.\d{1,10})?\s*$/.test(text) ? Number(text) : null
}
