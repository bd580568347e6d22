import { z } from 'zod'
import type { Usage } from '../domain/cost.ts'
import type { ModelReply } from '../domain/invoker.ts'
import type { AssistantMessage } from '../domain/message.ts'
import { GrowingMessage } from './growing-message.ts'
import { readResponsesReply } from './openai-responses.ts'
import { readResponsesUsage } from './openai-usage.ts'
import { cutShort, garbled, saidToHaveFailed } from './openai-wire.ts'
import type { ReplyStream } from './reply-stream.ts'

const deltaEvent = z.object({ delta: z.string(), output_index: z.number().optional().catch(undefined) })
const callEvent = z.object({
  output_index: z.number().optional().catch(undefined),
  item: z.object({ type: z.literal('function_call'), call_id: z.string(), name: z.string() }),
})
const lastEvent = z.object({ response: z.looseObject({ usage: z.unknown().optional() }) })

/** The events that end a stream, and the status that they give the response. */
const endings: ReadonlyMap<unknown, string> = new Map([
  ['response.completed', 'completed'],
  ['response.incomplete', 'incomplete'],
  ['response.failed', 'failed'],
])

/** Puts a response of the responses API together. The last event holds all of it; what comes before is for the impatient. */
export class ResponsesStream implements ReplyStream {
  readonly #message = new GrowingMessage()
  #response: z.output<typeof lastEvent>['response'] | undefined

  get isComplete(): boolean {
    return this.#response !== undefined
  }

  get isOver(): boolean {
    return this.isComplete
  }

  get partial(): AssistantMessage | null {
    return this.#message.partial
  }

  get usage(): Usage | null {
    return readResponsesUsage(this.#response?.usage)
  }

  take(name: string, event: unknown): string {
    if (typeof event !== 'object' || event === null) throw garbled('an event that is none of the responses API', null)
    const type = 'type' in event ? event.type : name
    if (type === 'response.output_text.delta') return this.#takeText(event)
    if (type === 'response.refusal.delta') this.#message.addRefusal(readEvent(deltaEvent, event).delta)
    if (type === 'response.output_item.added') this.#openCall(event)
    if (type === 'response.function_call_arguments.delta') this.#growCall(event)
    if (type === 'error' || name === 'error' || ('error' in event && event.error)) throw saidToHaveFailed(null)
    const status = endings.get(type)
    if (status !== undefined) this.#response = { ...readEvent(lastEvent, event).response, status }
    return ''
  }

  reply(): ModelReply {
    if (this.#response === undefined) throw cutShort()
    return readResponsesReply(this.#response)
  }

  #takeText(event: object): string {
    const { delta } = readEvent(deltaEvent, event)
    this.#message.addText(delta)
    return delta
  }

  #openCall(event: object): void {
    const { data } = callEvent.safeParse(event)
    // Most items are no calls.
    if (data === undefined) return
    const { call_id: id, name } = data.item
    this.#message.addToCall({ index: data.output_index, id, name, arguments: undefined })
  }

  #growCall(event: object): void {
    const { delta, output_index: index } = readEvent(deltaEvent, event)
    this.#message.addToCall({ index, id: undefined, name: undefined, arguments: delta })
  }
}

function readEvent<Schema extends z.ZodType>(schema: Schema, event: object): z.output<Schema> {
  const { data } = schema.safeParse(event)
  if (data === undefined) throw garbled('an event of the responses API that cannot be read', null)
  return data
}
