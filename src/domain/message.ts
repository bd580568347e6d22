import type { JsonObject } from './json.ts'

export type Role = 'system' | 'user' | 'assistant' | 'tool'

export interface TextPart {
  readonly type: 'text'
  readonly text: string
}

/** An image, by https URL or as base64 with its own media type. It is never a path that is opened. */
export interface ImagePart {
  readonly type: 'image'
  readonly url?: string
  readonly base64?: string
  /** For example `image/png`. Needed with `base64`. */
  readonly mediaType?: string
  /** Of an image in a session, in the place of its `base64`: how many bytes it has, and their SHA-256 in hex. */
  readonly bytes?: number
  readonly sha256?: string
}

export type Part = TextPart | ImagePart

/** A model's wish to have a tool run. `arguments` is the text that the model wrote: it may not even be JSON. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

export interface SystemMessage {
  readonly role: 'system'
  readonly content: string
}
export interface UserMessage {
  readonly role: 'user'
  readonly content: string | readonly Part[]
  /** Who speaks, where that says more than the role: another agent's name, for example. */
  readonly name?: string
}
export interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: string
  readonly name?: string
  readonly toolCalls?: readonly ToolCall[]
  /** Set when the model declined to answer. */
  readonly refusal?: string
}
export interface ToolMessage {
  readonly role: 'tool'
  readonly content: string
  readonly toolCallId: string
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/** What a model may call: a name of `[a-zA-Z0-9_-]{1,64}`, and the JSON Schema of its arguments. */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  readonly parameters: JsonObject
  /** Whether the provider is asked to hold the model to the schema. */
  readonly strict: boolean
}

/** All text of a message, without its images. */
export function textOf(message: Message): string {
  if (typeof message.content === 'string') return message.content
  return message.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
