import fc from 'fast-check'
import type { AssistantMessage, Message, ToolMessage } from '../../src/domain/message.ts'

const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 30 }))
const said = (role: 'user' | 'assistant') => text.map((content): Message[] => [{ role, content }])

/** A reply that calls tools, with all of their results. */
const toolRound = fc.tuple(fc.uuid(), fc.integer({ min: 1, max: 3 }), text).map(([id, count, content]): Message[] => {
  const ids = Array.from({ length: count }, (_, index) => `${id}-${index}`)
  const toolCalls = ids.map((callId) => ({ id: callId, name: 'look', arguments: '{}' }))
  const call: AssistantMessage = { role: 'assistant', content: '', toolCalls }
  return [call, ...ids.map((toolCallId): ToolMessage => ({ role: 'tool', content, toolCallId }))]
})

/** Any conversation that a dialog may hold after its system message. */
export const conversation = fc
  .array(fc.oneof(said('user'), said('assistant'), toolRound), { maxLength: 12 })
  .map((units) => units.flat())

/** The ids of tool calls that stand without their result, or of results without their call. */
export function partedResults(messages: readonly Message[]): readonly string[] {
  const called = messages
    .flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []))
    .map(({ id }) => id)
  const answered = messages.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []))
  return [...called.filter((id) => !answered.includes(id)), ...answered.filter((id) => !called.includes(id))]
}
