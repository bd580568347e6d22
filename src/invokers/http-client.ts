import { Agent, type Dispatcher } from 'undici'
import { ProviderError } from '../domain/invoker.ts'

/** A reply of a model is far smaller. What is larger is given up, and its socket closed. */
export const replyBytesMax = 4 * 1024 * 1024
/** Sockets to one provider. Calls beyond that wait for a free one. */
const socketsMax = 1024
const connectTimeoutMs = 10_000
/** A model may think for long before it says anything; the call's own signal is the real deadline. */
const headersTimeoutMs = 600_000
/** Between two pieces of a body. */
const bodyTimeoutMs = 120_000

/** The part of a fetch response that the SDK and we use. Its body was read to the end before. */
export interface HttpReply {
  readonly status: number
  readonly ok: boolean
  readonly url: string
  readonly headers: HttpHeaders
  readonly body: null
  text(): Promise<string>
}

export interface HttpClient {
  /**
   * Sends one request and reads the reply, whatever its status. It follows no redirects and asks for no compression.
   * `headers` are names and values in turn.
   * Rejects with a {@link ProviderError}, or with the reason of `signal`, and then the socket is closed.
   */
  post(url: string, headers: readonly string[], body: string, signal: AbortSignal): Promise<HttpReply>
  /** Closes all sockets at once. */
  close(): Promise<void>
}

/**
 * Makes an HTTP client with a socket pool of its own.
 *
 * It goes below `fetch`, to undici's dispatcher, because it is on the path of every model call: fetch takes more time than
 * everything else that the service does for a call.
 */
export function createHttpClient(): HttpClient {
  const agent = new Agent({
    connections: socketsMax,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    // Aborting has to close the socket: that is what tells a provider to stop working. HTTP/2 would share it.
    allowH2: false,
  })
  return {
    post: (url, headers, body, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const { origin, pathname, search } = new URL(url)
        const request = { origin, path: pathname + search, method: 'POST', headers: headers as string[], body }
        agent.dispatch(request, new Exchange(url, signal, resolve, reject))
      }),
    close: () => agent.destroy(),
  }
}

/** Headers of a reply, by lower-case name. */
export class HttpHeaders {
  readonly #headers: Readonly<Record<string, string | readonly string[] | undefined>>

  constructor(headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
    this.#headers = headers
  }

  get(name: string): string | null {
    const value = Object.hasOwn(this.#headers, name) ? this.#headers[name] : undefined
    return typeof value === 'string' ? value : (value?.join(', ') ?? null)
  }

  *entries(): Generator<[string, string]> {
    for (const name of Object.keys(this.#headers)) yield [name, this.get(name) ?? '']
  }
}

/** Told to undici alone, which wants an error; the caller gets the reason of the signal, whatever that is. */
const aborted = new Error('The call was aborted.')

/** One request and what comes back. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #url: string
  readonly #signal: AbortSignal
  readonly #resolve: (reply: HttpReply) => void
  readonly #reject: (reason: unknown) => void
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers = new HttpHeaders({})
  #bytes = 0

  constructor(
    url: string,
    signal: AbortSignal,
    resolve: (reply: HttpReply) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#url = url
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this)
  }

  /** The signal aborted. While the request still waits for a socket there is nothing to close. */
  handleEvent(): void {
    this.#fail(this.#signal.reason)
    this.#controller?.abort(aborted)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) controller.abort(aborted)
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    // An interim answer (1xx) is none.
    if (status < 200) return
    this.#status = status
    this.#headers = new HttpHeaders(headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
    if (this.#bytes <= replyBytesMax) return
    const message = `The provider's reply is larger than ${replyBytesMax} bytes.`
    controller.abort(new ProviderError('garbled', message, { status: this.#status, mayBeBilled: true }))
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this)
    const status = this.#status
    const [first] = this.#chunks
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes)
    const text = async () => bytes.toString('utf8')
    this.#resolve({
      status,
      ok: status >= 200 && status < 300,
      url: this.#url,
      headers: this.#headers,
      body: null,
      text,
    })
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#signal.aborted) return
    // The status says all there is to say about a refused request, even if its body broke off.
    if (this.#status >= 300) this.onResponseEnd()
    else this.#fail(error instanceof ProviderError ? error : connectionError(error, this.#controller !== undefined))
  }

  #fail(reason: unknown): void {
    this.#signal.removeEventListener('abort', this)
    this.#reject(reason)
  }
}

const connectionFailures: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'The provider refused the connection.'],
  ['ENOTFOUND', 'The host of the provider is not known.'],
  ['EAI_AGAIN', 'The host of the provider could not be looked up.'],
  ['UND_ERR_CONNECT_TIMEOUT', 'The provider did not accept the connection in time.'],
  ['UND_ERR_HEADERS_TIMEOUT', 'The provider did not answer in time.'],
  ['UND_ERR_BODY_TIMEOUT', 'The provider stopped in the middle of its reply.'],
])

/** `isSent`: whether the request was on its way, so that the provider may have worked on it. */
function connectionError(cause: Error, isSent: boolean): ProviderError {
  const known = connectionFailures.get('code' in cause ? String(cause.code) : '')
  const message =
    known ?? (isSent ? 'The connection to the provider was cut.' : 'There is no connection to the provider.')
  return new ProviderError('unreachable', message, { mayBeBilled: isSent, cause })
}
