import type { AssistantMessage, Message, Part } from './message.ts'
import type { AssistantRecord, MessageRecord } from './session-record.ts'

/** The message that a record was made from. What a message does not have is left behind. */
export function fromMessageRecord(record: MessageRecord): Message {
  const { role } = record
  switch (role) {
    case 'assistant':
      return fromAssistantRecord(record)
    case 'tool':
      return { role, content: record.content, toolCallId: record.tool_call_id }
    case 'user': {
      const { content } = record
      const said = typeof content === 'string' ? content : content.map(fromPartRecord)
      return { role, content: said, ...nameOf(record) }
    }
    case 'system':
      return { role, content: record.content }
  }
}

export function fromAssistantRecord(record: AssistantRecord): AssistantMessage {
  const { tool_calls: calls } = record
  return {
    role: 'assistant',
    content: record.content,
    ...nameOf(record),
    ...(calls === undefined
      ? {}
      : { toolCalls: calls.map((call) => ({ id: call.id, name: call.name, arguments: call.arguments })) }),
    ...(record.refusal === undefined ? {} : { refusal: record.refusal }),
  }
}

function nameOf({ name }: { readonly name?: string | undefined }) {
  return name === undefined ? {} : { name }
}

type UserRecord = Extract<MessageRecord, { readonly role: 'user' }>
type PartRecord = Exclude<UserRecord['content'], string>[number]

function fromPartRecord(part: PartRecord): Part {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const mediaType = 'media_type' in part ? part.media_type : undefined
  return {
    type: 'image',
    ...(part.url === undefined ? {} : { url: part.url }),
    ...(part.base64 === undefined ? {} : { base64: part.base64 }),
    ...(mediaType === undefined ? {} : { mediaType }),
  }
}
