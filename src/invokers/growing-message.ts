import type { AssistantMessage } from '../domain/message.ts'
import { garbled, toolCallsMax, toToolCall } from './openai-wire.ts'

/** Characters of a reply, the arguments of its tool calls included. A reply of a model is far smaller. */
export const messageLengthMax = 4 * 1024 * 1024

/** A piece of a tool call. Its name and id come once, its arguments in pieces. */
export interface ToolCallDelta {
  /** Which call it belongs to. Left out by some servers, which mean the last one. */
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly arguments: string | undefined
}

interface GrowingCall {
  readonly index: number | undefined
  id: string | undefined
  name: string
  arguments: string | undefined
}

/** A message that is put together from pieces as they come. Each piece may reject with a ProviderError: `garbled`. */
export class GrowingMessage {
  #content = ''
  #refusal = ''
  readonly #calls: GrowingCall[] = []
  #length = 0

  addText(text: string): void {
    this.#grow(text)
    this.#content += text
  }

  addRefusal(text: string): void {
    this.#grow(text)
    this.#refusal += text
  }

  addToCall(delta: ToolCallDelta): void {
    const call = this.#callOf(delta)
    if (delta.id) call.id = delta.id
    if (delta.name) call.name = delta.name
    if (delta.arguments === undefined) return
    this.#grow(delta.arguments)
    call.arguments = (call.arguments ?? '') + delta.arguments
  }

  /** What has come so far. Null when that is nothing. */
  get partial(): AssistantMessage | null {
    return this.#length === 0 && this.#calls.length === 0 ? null : this.#message()
  }

  /** The message, when all of it has come. @throws ProviderError `garbled` when a tool call has no name. */
  whole(): AssistantMessage {
    if (this.#calls.some(({ name }) => name === '')) throw garbled('a tool call without a name', null)
    return this.#message()
  }

  #message(): AssistantMessage {
    const toolCalls = this.#calls.map((call, position) => toToolCall(call.id, call.name, call.arguments, position))
    return {
      role: 'assistant',
      content: this.#content,
      ...(toolCalls.length > 0 ? { toolCalls } : {}),
      ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
    }
  }

  /** Some servers number all calls alike, so that only another id tells of another call. */
  #callOf({ index, id }: ToolCallDelta): GrowingCall {
    const known = this.#calls.findLast((call) => index === undefined || call.index === index)
    if (known !== undefined && (!id || !known.id || known.id === id)) return known
    if (this.#calls.length >= toolCallsMax) throw garbled('more tool calls than can be meant', null)
    const call: GrowingCall = { index, id: undefined, name: '', arguments: undefined }
    this.#calls.push(call)
    return call
  }

  #grow(text: string): void {
    this.#length += text.length
    if (this.#length > messageLengthMax) throw garbled('more than a reply can be', null)
  }
}
