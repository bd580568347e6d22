import type { Dispatcher } from 'undici'
import { ProviderError } from '../domain/invoker.ts'
import { HttpHeaders, type HttpReply } from './http-reply.ts'

/** A reply of a model is far smaller. What is larger is given up, and its socket closed. */
export const replyBytesMax = 4 * 1024 * 1024
/** What is held of a body that nobody reads; the rest stays with the provider. */
const unreadBytesMax = 64 * 1024
/** How much longer, and how much more, a body may go on of which no more is wanted. */
const drainMaxMs = 1000
const drainBytesMax = 16 * 1024

/** Told to undici alone, which wants an error; the caller gets the reason of the signal, whatever that is. */
const aborted = new Error('The call was aborted.')

/** One request and what comes back. */
export class HttpExchange implements Dispatcher.DispatchHandler, HttpReply {
  readonly url: string
  readonly body = null
  status = 0
  headers = new HttpHeaders({})

  readonly #signal: AbortSignal
  readonly #resolve: (reply: HttpReply) => void
  readonly #reject: (reason: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #unread: Buffer[] = []
  #unreadBytes = 0
  #isOver = false
  #failure: { readonly reason: unknown } | undefined
  #wakeReader = () => {}
  #drainTimer: NodeJS.Timeout | undefined

  constructor(
    url: string,
    signal: AbortSignal,
    resolve: (reply: HttpReply) => void,
    reject: (reason: unknown) => void,
  ) {
    this.url = url
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this)
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  async text(): Promise<string> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) {
        bytes += chunk.length
        if (bytes > replyBytesMax) throw this.#tooLarge()
        chunks.push(chunk)
      }
    } catch (error) {
      this.cancel()
      // The status says all there is to say about a refused request, even if its body broke off.
      if (this.ok || this.#signal.aborted) throw error
    }
    return join(chunks).toString('utf8')
  }

  async read(): Promise<Buffer | null> {
    if (this.#unread.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
    if (this.#unread.length > 0) return this.#takeUnread()
    if (this.#failure !== undefined) throw this.#failure.reason
    return null
  }

  cancel(): void {
    if (this.#isOver) return
    this.#end()
    this.#controller?.abort(aborted)
  }

  drain(): void {
    if (this.#isOver) return
    this.#end()
    this.#unread = []
    this.#unreadBytes = 0
    this.#drainTimer = setTimeout(() => this.#controller?.abort(aborted), drainMaxMs).unref()
    this.#controller?.resume()
  }

  /** The signal aborted. While the request still waits for a socket there is nothing to close. */
  handleEvent(): void {
    this.#fail(this.#signal.reason)
    this.#unread = []
    this.#controller?.abort(aborted)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) controller.abort(aborted)
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    // An interim answer (1xx) is none.
    if (status < 200) return
    this.status = status
    this.headers = new HttpHeaders(headers)
    this.#resolve(this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#unreadBytes += chunk.length
    if (this.#isOver) {
      if (this.#unreadBytes > drainBytesMax) controller.abort(aborted)
      return
    }
    this.#unread.push(chunk)
    if (this.#unreadBytes >= unreadBytesMax) controller.pause()
    this.#wakeReader()
  }

  onResponseEnd(): void {
    clearTimeout(this.#drainTimer)
    this.#end()
  }

  onResponseError(_controller: unknown, error: Error): void {
    clearTimeout(this.#drainTimer)
    this.#fail(connectionError(error, this.#controller !== undefined))
  }

  #takeUnread(): Buffer {
    const bytes = join(this.#unread)
    this.#unread = []
    this.#unreadBytes = 0
    this.#controller?.resume()
    return bytes
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return
    this.#failure = { reason }
    this.#end()
    // Without effect where the head of the reply has come.
    this.#reject(reason)
  }

  #end(): void {
    this.#isOver = true
    this.#signal.removeEventListener('abort', this)
    this.#wakeReader()
  }

  #tooLarge(): ProviderError {
    const message = `The provider's reply is larger than ${replyBytesMax} bytes.`
    return new ProviderError('garbled', message, { status: this.status, mayBeBilled: true })
  }
}

function join(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
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
