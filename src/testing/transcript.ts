import type { Message, Part, ToolCall } from '../domain/message.ts'
import type { AgentCall, LlmCall, Session } from '../domain/session.ts'

/**
 * A session as a text that stays the same from run to run, for snapshots: who was told what and answered what, through all
 * sub-tactics, in the order in which it began. Ids, times and costs are left out. What a dialog has in common with its
 * request before is not told twice.
 */
export function toTranscript(session: Session): string {
  return `${tellSession(session).join('\n')}\n`
}

function tellSession(session: Session): readonly string[] {
  const { tactic, state, endReason, task, result, error } = session
  const reason = endReason === null ? '' : ` (${endReason})`
  const dialogs = new Map<string, readonly Message[]>()
  const parts = [
    ...session.agentCalls.map((call) => ({ ...placeOf(call), tell: () => tellAgentCall(call, dialogs) })),
    ...session.subSessions.map((child) => ({ ...placeOf(child), tell: () => tellSession(child) })),
  ].sort(byStart)
  return [
    `tactic ${tactic}: ${state}${reason}`,
    ...indent([
      ...labelled('task', toText(task)),
      ...parts.flatMap(({ tell }) => tell()),
      ...(error === null ? labelled('result', toText(result)) : labelled(`error ${error.code}`, error.message)),
    ]),
  ]
}

interface Place {
  readonly startedAtMs: number
  readonly id: string
}

function placeOf({ startedAtMs, id }: Place): Place {
  return { startedAtMs, id }
}

/** Ids sort by time, and so tell apart what began in the same millisecond. */
function byStart(left: Place, right: Place): number {
  return left.startedAtMs - right.startedAtMs || (left.id < right.id ? -1 : 1)
}

function tellAgentCall(call: AgentCall, dialogs: Map<string, readonly Message[]>): readonly string[] {
  const { agent, dialog, state } = call
  const name = `${agent}/${dialog}`
  const lines = call.llmCalls.flatMap((asked) => {
    const known = dialogs.get(name) ?? []
    const { messages } = asked.request
    dialogs.set(name, asked.response === null ? messages : [...messages, asked.response.message])
    return [...messages.slice(countCommon(known, messages)).flatMap(tellMessage), ...tellReply(asked)]
  })
  return [`agent ${name}${state === 'success' ? '' : `: ${state}`}`, ...indent(lines)]
}

function countCommon(left: readonly Message[], right: readonly Message[]): number {
  const differs = left.findIndex((message, index) => JSON.stringify(message) !== JSON.stringify(right[index]))
  return differs === -1 ? left.length : differs
}

function tellReply({ model, response, error }: LlmCall): readonly string[] {
  const failure = error === null ? [] : labelled(`! ${model}`, `${error.code}: ${error.message}`)
  return [...(response === null ? [] : tellMessage(response.message)), ...failure]
}

function tellMessage(message: Message): readonly string[] {
  const { role, content } = message
  const text = typeof content === 'string' ? content : content.map(tellPart).join('\n')
  if (role !== 'assistant') return labelled(role, text)
  const calls = (message.toolCalls ?? []).map(tellToolCall)
  const refusal = message.refusal === undefined ? [] : labelled('assistant refuses', message.refusal)
  const isSilent = text === '' && (calls.length > 0 || refusal.length > 0)
  return [...(isSilent ? [] : labelled(role, text)), ...refusal, ...calls]
}

function tellToolCall({ name, arguments: given }: ToolCall): string {
  return `assistant calls ${name} ${given}`
}

function tellPart(part: Part): string {
  if (part.type === 'text') return part.text
  return part.url === undefined ? `[image ${part.mediaType ?? ''}]` : `[image ${part.url}]`
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')
}

/** The lines of a text below each other, behind its label. */
function labelled(label: string, text: string): readonly string[] {
  const [first = '', ...more] = text.split('\n')
  return [`${label}: ${first}`.trimEnd(), ...more.map((line) => `  ${line}`.trimEnd())]
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}
