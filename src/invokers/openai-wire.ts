import type { Usage } from '../domain/cost.ts'
import { type OutputFormat, ProviderError } from '../domain/invoker.ts'
import type { JsonObject } from '../domain/json.ts'
import type { ImagePart, ToolCall } from '../domain/message.ts'

/** What both of OpenAI's wire formats have in common. */

/** OpenAI calls the role of instructions `developer`; most other servers know it as `system`. */
export type SystemRole = 'developer' | 'system'

/** A reply with more tool calls than any model makes is refused. */
export const toolCallsMax = 128

/** Arguments that would change what is asked, or how the reply comes. Config cannot set them. */
const reservedArgs: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'input',
  'tools',
  'stream',
  'stream_options',
  'background',
])
/** Arguments that are an error where no tools are offered. */
const toolArgs: ReadonlySet<string> = new Set(['tool_choice', 'parallel_tool_calls'])

/** The model's arguments without those that are not config's to set. */
export function allowedArgs(modelArgs: JsonObject, hasTools: boolean): JsonObject {
  const isAllowed = (name: string) => !reservedArgs.has(name) && (hasTools || !toolArgs.has(name))
  return Object.fromEntries(Object.entries(modelArgs).filter(([name]) => isAllowed(name)))
}

/** A name that OpenAI accepts: `[a-zA-Z0-9_-]{1,64}`. */
export function wireName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)
}

export function imageUrl({ url, base64 = '', mediaType }: ImagePart): string {
  return url ?? `data:${mediaType};base64,${base64}`
}

/** The parts of a JSON format, which the two wire formats put into different places. */
export function jsonSchemaFormat(format: OutputFormat | undefined): object | undefined {
  if (format?.kind !== 'json') return undefined
  return { name: wireName(format.name), schema: format.schema, strict: format.strict }
}

/** Some servers send no id, or arguments that are not text: the call is a call all the same. */
export function toToolCall(id: unknown, name: string, args: unknown, position: number): ToolCall {
  return {
    id: typeof id === 'string' && id !== '' ? id : `call_${position}`,
    name,
    arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
  }
}

/** A reply that was given, and may have been paid for, but that nobody can read. */
export function garbled(what: string, usage: Usage | null): ProviderError {
  return new ProviderError('garbled', `The provider answered with ${what}.`, { status: 200, usage, mayBeBilled: true })
}

/** A stream that stopped before the provider said that the reply is complete. */
export function cutShort(): ProviderError {
  return garbled('a stream that ends before the reply is complete', null)
}

/** The provider says itself, after it has begun to answer, that it failed. */
export function saidToHaveFailed(usage: Usage | null): ProviderError {
  return new ProviderError('failed', 'The provider failed while it answered.', {
    status: 200,
    usage,
    mayBeBilled: true,
  })
}
