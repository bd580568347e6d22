import type { Price, Usage } from './cost.ts'
import type { JsonObject, JsonSchema } from './json.ts'
import type { AssistantMessage, Message, ToolSpec } from './message.ts'
import type { TraceHeaders } from './tracing.ts'

/** The two wire formats of OpenAI: chat completions, and responses. */
export type ApiType = 'completion' | 'response'

/** What the reply has to look like, beyond being text. */
export type OutputFormat =
  | {
      readonly kind: 'json'
      readonly name: string
      readonly schema: JsonSchema
      readonly strict: boolean
      /** The same with all that strict mode cannot say, for invokers that can hold a reply to it themselves. */
      readonly full: JsonSchema
    }
  | {
      readonly kind: 'tags'
      readonly tags: readonly string[]
      readonly fences: readonly string[]
      readonly signals: readonly string[]
    }

/** One request to a model, in no provider's format. */
export interface ModelRequest {
  /** Who asks. It is not sent. */
  readonly agent?: string
  readonly model: string
  readonly apiType: ApiType
  readonly messages: readonly Message[]
  /** Passed to the provider as they are: temperature, max_completion_tokens, seed … */
  readonly modelArgs: JsonObject
  readonly tools: readonly ToolSpec[]
  readonly format?: OutputFormat
  /** Where the request is in a trace. It is sent as headers. */
  readonly trace?: TraceHeaders
}

/** A reply as it came. Whether it is of any use is for the engine to say, after it has been paid for. */
export interface ModelReply {
  readonly id: string | null
  /** The model that answered, as the provider names it. */
  readonly model: string | null
  readonly message: AssistantMessage
  readonly finishReason: string | null
  /** Null when the provider gave no usage, or one that cannot be true. */
  readonly usage: Usage | null
}

/** Takes pieces of a reply's text as they come. The next piece is not read before what this returns has resolved. */
export type OnDelta = (text: string) => void | Promise<void>

/**
 * Told by an invoker that keeps requests back, so as not to ask too much of a provider: true while it does, false when it sends.
 * A request that ends while it is kept back was never sent.
 */
export type OnHold = (isHeld: boolean) => void

/** How much of a model is asked, by an invoker that keeps requests back. */
export interface ModelLoad {
  readonly model: string
  /** Requests under way. */
  readonly underWay: number
  /** Requests that are kept back. */
  readonly waiting: number
  /** Whether nothing is sent, because the provider is down. */
  readonly isResting: boolean
}

/**
 * A way to ask models.
 *
 * `invoke` sends exactly one request and never retries. It rejects with a {@link ProviderError} when the provider fails,
 * in whatever way, and with the reason of `signal` when that aborts; then the provider's socket is closed.
 * It may be called any number of times at once. With `onDelta` the reply is streamed: its text comes in pieces, and in full
 * at the end. A stream that ends without saying that it is complete is a failure that carries what was received.
 */
export interface Invoker {
  /** The name by which configs choose it. */
  readonly name: string
  /** Whether replies are made up on this machine rather than by a model. */
  readonly simulated: boolean
  /** Where its requests go, which tells whose prices hold. Left out: they go nowhere. */
  readonly apiUrl?: string
  invoke(request: ModelRequest, signal: AbortSignal, onDelta?: OnDelta, onHold?: OnHold): Promise<ModelReply>
  /** Of an invoker that keeps requests back: how much of each of its models is asked now. */
  loads?(): readonly ModelLoad[]
  /** Releases sockets. Nothing is invoked afterwards. */
  close(): Promise<void>
}

export type ProviderErrorKind =
  /** No connection, a cut socket, or no answer in time. */
  | 'unreachable'
  /** The provider limits the rate (429). */
  | 'rate-limited'
  /** The provider answered with an error of its own (408, 409, 5xx). */
  | 'failed'
  /** The provider refuses the request (other 4xx): sending it again would not help. */
  | 'rejected'
  /** The provider answered 2xx, but not with a reply of its own format. */
  | 'garbled'

/**
 * A provider's failure. Its message is ours: it says what happened and never quotes the provider, whose texts may hold
 * a key or a prompt.
 */
export class ProviderError extends Error {
  readonly kind: ProviderErrorKind
  readonly status: number | null
  readonly retryAfterMs: number | null
  /** What a garbled reply nevertheless said it cost. */
  readonly usage: Usage | null
  /** What had been received of a streamed reply. */
  readonly partial: AssistantMessage | null
  /** Whether the provider may bill this request: true for garbled replies and for sockets cut after sending. */
  readonly mayBeBilled: boolean

  constructor(
    kind: ProviderErrorKind,
    message: string,
    details: {
      readonly status?: number | null
      readonly retryAfterMs?: number | null
      readonly usage?: Usage | null
      readonly partial?: AssistantMessage | null
      readonly mayBeBilled?: boolean
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: details.cause })
    this.name = 'ProviderError'
    this.kind = kind
    this.status = details.status ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
    this.usage = details.usage ?? null
    this.partial = details.partial ?? null
    this.mayBeBilled = details.mayBeBilled ?? false
  }
}

/**
 * Knows what models cost. `price` gives null for a model that it does not know; it never throws and never guesses.
 * `models` are the names of the model, the likeliest first: as the provider answered, then as it was asked for.
 * `apiUrl` is where the provider is: it tells providers apart that have the same model at different prices.
 */
export interface PriceBook {
  price(models: readonly string[], usage: Usage, atMs: number, apiUrl?: string): Price | null
}
