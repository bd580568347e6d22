import type { Usage } from '../domain/cost.ts'
import type { ModelReply } from '../domain/invoker.ts'
import type { AssistantMessage } from '../domain/message.ts'

/** Puts a streamed reply of one wire format together, from its events. */
export interface ReplyStream {
  /**
   * Takes the next event, and gives the text that it adds to the reply: often none.
   * @throws ProviderError `garbled`, or `failed` where the provider says that it failed.
   */
  take(name: string, event: unknown): string
  /** Whether the provider has said that the reply is complete. What may follow is no more than its usage. */
  readonly isComplete: boolean
  /** Whether nothing may follow. */
  readonly isOver: boolean
  /** What has come so far; null when that is nothing. */
  readonly partial: AssistantMessage | null
  readonly usage: Usage | null
  /** @throws ProviderError when the reply is not complete, or cannot be understood. */
  reply(): ModelReply
}
