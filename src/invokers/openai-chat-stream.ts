import { z } from 'zod'
import type { Usage } from '../domain/cost.ts'
import type { ModelReply } from '../domain/invoker.ts'
import type { AssistantMessage } from '../domain/message.ts'
import { GrowingMessage } from './growing-message.ts'
import { readChatUsage } from './openai-usage.ts'
import { cutShort, garbled, saidToHaveFailed } from './openai-wire.ts'
import type { ReplyStream } from './reply-stream.ts'

const text = z.string().nullish()
const lenientText = z.string().nullish().catch(null)

const chunk = z.object({
  id: lenientText,
  model: lenientText,
  error: z.unknown().optional(),
  usage: z.unknown().optional(),
  choices: z
    .array(
      z.object({
        index: z.number().nullish().catch(null),
        finish_reason: lenientText,
        delta: z
          .object({
            content: z.union([z.string(), z.array(z.object({ text, refusal: text }))]).nullish(),
            refusal: text,
            tool_calls: z
              .array(
                z.object({
                  index: z.number().nullish().catch(null),
                  id: lenientText,
                  function: z.object({ name: text, arguments: z.unknown().optional() }).nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
})
type Delta = NonNullable<NonNullable<z.output<typeof chunk>['choices']>[number]['delta']>

/** Puts a chat completion together from its chunks: its first choice. */
export class ChatStream implements ReplyStream {
  readonly isOver = false
  readonly #message = new GrowingMessage()
  #id: string | null = null
  #model: string | null = null
  #finishReason: string | null = null
  #usage: unknown

  get isComplete(): boolean {
    return this.#finishReason !== null
  }

  get partial(): AssistantMessage | null {
    return this.#message.partial
  }

  get usage(): Usage | null {
    return readChatUsage(this.#usage)
  }

  take(name: string, event: unknown): string {
    const { data } = chunk.safeParse(event)
    if (name === 'error' || data?.error) throw saidToHaveFailed(this.usage)
    if (data === undefined) throw garbled('a chunk of a chat completion that cannot be read', this.usage)
    this.#id ??= data.id || null
    this.#model ??= data.model || null
    // Some servers send the usage so far with each chunk: the last one counts.
    this.#usage = data.usage ?? this.#usage
    const choice = data.choices?.find(({ index }) => (index ?? 0) === 0)
    this.#finishReason = choice?.finish_reason || this.#finishReason
    return choice?.delta ? this.#takeDelta(choice.delta) : ''
  }

  reply(): ModelReply {
    if (!this.isComplete) throw cutShort()
    return {
      id: this.#id,
      model: this.#model,
      message: this.#message.whole(),
      finishReason: this.#finishReason,
      usage: this.usage,
    }
  }

  #takeDelta({ content, refusal, tool_calls: calls }: Delta): string {
    const parts = Array.isArray(content) ? content : [{ text: content, refusal }]
    for (const part of parts) if (part.refusal) this.#message.addRefusal(part.refusal)
    for (const call of calls ?? []) {
      const args = call.function?.arguments ?? undefined
      this.#message.addToCall({
        index: call.index ?? undefined,
        id: call.id ?? undefined,
        name: call.function?.name ?? undefined,
        arguments: args === undefined || typeof args === 'string' ? args : JSON.stringify(args),
      })
    }
    const added = parts.map((part) => part.text ?? '').join('')
    this.#message.addText(added)
    return added
  }
}
