import { checkHeaders, readServiceUrl } from '../domain/service-url.ts'
import type { KeyedOptions } from './call-options.ts'
import { LllmFault, networkFault } from './fault.ts'
import { openSignal } from './open-signal.ts'
import { isProblemRecord, LllmProblem } from './problem.ts'
import { openReply, type Reply } from './reply.ts'

export interface ClientOptions {
  /** Where the service is, up to the path below which its routes are: `http://localhost:8080`. */
  readonly url: string
  /** Are sent with every request: an `authorization`, for example. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: the `fetch` of the place where it runs. */
  readonly fetch?: typeof fetch
  /**
   * Milliseconds that a request may take, 1 or more, where its own options say nothing. The service ends a call after that as
   * `deadline-exceeded`; one that does not even answer is given up 5 s later. Default: as long as the service allows.
   */
  readonly timeoutMs?: number
  /** Bytes of an answer that are read at the most. Default 64 MiB. */
  readonly answerBytesMax?: number
}

/** What every request takes. */
export interface RequestOptions {
  /** Its abort closes the socket, by which the service cancels the call. The request then rejects with its reason. */
  readonly signal?: AbortSignal
  /** Goes before that of the client. */
  readonly timeoutMs?: number
}

export interface Asked extends RequestOptions, KeyedOptions {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Begins with `/`. */
  readonly path: string
  readonly query?: URLSearchParams
  readonly body?: object
  /** Default `application/json`. */
  readonly accept?: string
}

export interface Transport {
  readonly answerBytesMax: number
  readonly timeoutMs: number | undefined
  /**
   * Sends one request, once, and waits for the head of an answer that is no refusal.
   * Rejects with an LllmProblem, an LllmFault, or the reason of the signal.
   */
  send(asked: Asked): Promise<Reply>
  /** The same, and reads the answer as JSON. */
  ask(asked: Asked): Promise<unknown>
}

const answerBytesMaxDefault = 64 * 1024 * 1024
/** How much later than the service a request is given up here. */
const graceMs = 5_000

/** @throws TypeError when the URL or a header does not fit. */
export function openTransport(options: ClientOptions): Transport {
  const { answerBytesMax = answerBytesMaxDefault, timeoutMs } = options
  const base = readServiceUrl(options.url)
  const ownHeaders = checkHeaders(options.headers ?? {})
  // Called by its own name: browsers refuse a fetch that has become the method of something else.
  const doFetch: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init))

  async function send(asked: Asked): Promise<Reply> {
    const { method, path, query, body, accept = 'application/json', idempotencyKey } = asked
    const keyHeaders = idempotencyKey === undefined ? {} : { 'idempotency-key': quoteKey(idempotencyKey) }
    const content = body === undefined ? undefined : JSON.stringify(body)
    const limitMs = asked.timeoutMs ?? timeoutMs
    const { signal, dispose } = openSignal(
      asked.signal,
      limitMs === undefined ? undefined : limitMs + graceMs,
      () => new LllmFault('timeout', `The service has not answered within ${limitMs} ms.`),
    )
    const search = query === undefined || query.size === 0 ? '' : `?${query}`
    const init: RequestInit = {
      method,
      headers: {
        ...ownHeaders,
        ...keyHeaders,
        accept,
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(content === undefined ? {} : { body: content }),
      // The service has no redirects. Whoever sends one would be sent our headers.
      redirect: 'error',
      signal,
    }
    let response: Response
    try {
      signal.throwIfAborted()
      response = await doFetch(base + path + search, init)
    } catch (error) {
      dispose()
      throw signal.aborted ? signal.reason : networkFault(error)
    }
    const reply = openReply({ response, signal, bytesMax: answerBytesMax, onClose: dispose })
    if (!response.ok) throw await readRefusal(reply)
    return reply
  }

  async function ask(asked: Asked) {
    const reply = await send(asked)
    const text = await reply.text()
    if (reply.status === 204) return undefined
    return readJson(text, reply.status)
  }

  return { answerBytesMax, timeoutMs, send, ask }
}

/** A string of RFC 9651. @throws TypeError */
function quoteKey(key: string): string {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return `"${key.replace(/["\\]/g, '\\$&')}"`
  throw new TypeError('An idempotencyKey has 1 to 255 visible ASCII characters.')
}

/** @throws LllmFault `protocol` */
export function readJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LllmFault('protocol', 'The service gave an answer that is not JSON, or broke off.', { status })
  }
}

/** What an answer says that is no success: a proxy on the way may have answered in the place of the service. */
async function readRefusal(reply: Reply): Promise<LllmProblem | LllmFault> {
  const { status, headers } = reply
  const isJson = /^application\/(?:problem\+)?json\b/.test(headers.get('content-type') ?? '')
  const text = await reply.text()
  const problem = isJson ? readJson(text, status) : undefined
  if (isProblemRecord(problem)) return new LllmProblem(problem, retryAfterMs(headers.get('retry-after')))
  return new LllmFault('protocol', `The answer has the status ${status} and is no problem that this service tells.`, {
    status,
  })
}

/** Whole seconds, as the service sends them. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : undefined
}
