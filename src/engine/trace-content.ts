import type { AssistantMessage, Message, Part } from '../domain/message.ts'

/** Messages in the shape that the conventions of OpenTelemetry for generative AI give them, as JSON. */
export function toInputMessages(messages: readonly Message[]): string {
  return JSON.stringify(messages.map((message) => ({ role: message.role, parts: partsOf(message) })))
}

export function toOutputMessages(message: AssistantMessage, finishReason: string | null): string {
  return JSON.stringify([{ role: 'assistant', parts: partsOf(message), finish_reason: finishReason ?? 'stop' }])
}

/** A task or a result, which may be any value: text as it is, everything else as JSON. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}

function partsOf(message: Message): readonly object[] {
  if (message.role === 'tool') {
    return [{ type: 'tool_call_response', id: message.toolCallId, response: message.content }]
  }
  const content: readonly Part[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
  const said = content.flatMap((part) => (part.type === 'text' && part.text === '' ? [] : [toPart(part)]))
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : []
  return [...said, ...calls.map(({ id, name, arguments: args }) => ({ type: 'tool_call', id, name, arguments: args }))]
}

/** Of an image that is a part of the message, its bytes are left out: they are more than a span can hold. */
function toPart(part: Part): object {
  if (part.type === 'text') return { type: 'text', content: part.text }
  const about = { modality: 'image', ...(part.mediaType === undefined ? {} : { mime_type: part.mediaType }) }
  return part.url === undefined ? { type: 'blob', ...about } : { type: 'uri', ...about, uri: part.url }
}
