import type { ContextLimit } from './agent.ts'
import type { Message, Part } from './message.ts'

/** What an image is counted as, whatever its size. */
const tokensPerImage = 1_000
/** What a message costs beside its content. */
const tokensPerMessage = 4
const bytesPerToken = 4

const encoder = new TextEncoder()

/** A cautious estimate without a tokenizer: a token per four bytes of UTF-8. */
export function estimateTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + tokensOf(message), 0)
}

function tokensOf(message: Message): number {
  const content = typeof message.content === 'string' ? tokensOfText(message.content) : tokensOfParts(message.content)
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : []
  return tokensPerMessage + content + calls.reduce((sum, call) => sum + tokensOfText(call.name + call.arguments), 0)
}

function tokensOfParts(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part.type === 'text' ? tokensOfText(part.text) : tokensPerImage), 0)
}

/** The same for a text alone. */
export function tokensOfText(text: string): number {
  return Math.ceil(encoder.encode(text).length / bytesPerToken)
}

export interface Limiting {
  /** Corrects the estimate by what the provider counted before: real tokens per estimated token. Default 1. */
  readonly scale?: number
  /** Where the last turn begins. Left out: with the last messages of the user. */
  readonly lastTurnStart?: number
}

/**
 * Shortens a conversation from its oldest messages until it fits. The system message and the last turn stay whatever the
 * limit, and a tool call stays together with its results.
 */
export function limitContext(
  messages: readonly Message[],
  limit: ContextLimit,
  { scale = 1, lastTurnStart = startOfLastTurn(messages) }: Limiting = {},
): readonly Message[] {
  const head = messages[0]?.role === 'system' ? messages.slice(0, 1) : []
  const lastTurn = messages.slice(Math.max(lastTurnStart, head.length))
  let room = limit.maxTokens / scale - estimateTokens([...head, ...lastTurn])

  const older = unitsOf(messages.slice(head.length, Math.max(lastTurnStart, head.length)))
  const surviving: Message[] = []
  for (const unit of older.reverse()) {
    const size = estimateTokens(unit)
    if (size > room) {
      if (limit.type === 'truncate') surviving.unshift(...truncateUnit(unit, room))
      break
    }
    surviving.unshift(...unit)
    room -= size
  }
  const whole = limit.type === 'drop' ? dropPartOfTurn(surviving) : surviving
  return [...head, ...whole, ...lastTurn]
}

/** The last turn begins with the last run of user messages: a task may have been received in several. */
export function startOfLastTurn(messages: readonly Message[]): number {
  let start = messages.findLastIndex(({ role }) => role === 'user')
  while (start > 0 && messages[start - 1]?.role === 'user') start--
  return Math.max(0, start)
}

/** Messages that go or stay together: a tool call with its results; every other message by itself. */
function unitsOf(messages: readonly Message[]): Message[][] {
  const units: Message[][] = []
  for (const message of messages) {
    const current = units.at(-1)
    if (message.role === 'tool' && current !== undefined) current.push(message)
    else units.push([message])
  }
  return units
}

/** Whole turns are dropped: an answer whose question is gone goes as well. */
function dropPartOfTurn(messages: readonly Message[]): readonly Message[] {
  const start = messages.findIndex(({ role }) => role === 'user')
  return start === -1 ? [] : messages.slice(start)
}

const truncationMark = '[…] '

/** Keeps the end of a plain text that fits in `roomTokens`. What holds tool calls or images cannot be shortened and goes. */
function truncateUnit(unit: readonly Message[], roomTokens: number): readonly Message[] {
  const [message] = unit
  if (unit.length > 1 || message === undefined || typeof message.content !== 'string') return []
  if (message.role === 'assistant' && message.toolCalls !== undefined) return []
  const bytes = encoder.encode(message.content)
  const roomBytes = Math.floor((roomTokens - tokensPerMessage) * bytesPerToken) - encoder.encode(truncationMark).length
  if (roomBytes <= 0) return []
  let start = Math.max(0, bytes.length - roomBytes)
  // A cut inside a character moves to the start of the next one: continuation bytes of UTF-8 begin with the bits 10.
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  const text = new TextDecoder().decode(bytes.subarray(start))
  return [{ ...message, content: truncationMark + text } as Message]
}
