import type { SessionRecord } from '../../domain/session-record.ts'
import { inOneLine } from '../display-text.ts'
import { tellCostRecord, tellCount, tellDuration } from './figures.ts'
import type { Span, TreeLine } from './tree.ts'

type AgentCallRecord = SessionRecord['agent_calls'][number]
type LlmCallRecord = AgentCallRecord['llm_calls'][number]
type ToolCallRecord = AgentCallRecord['tool_calls'][number]
type RetryRecord = AgentCallRecord['retries'][number]

const stateStyles = { running: 'cyan', success: 'green', failure: 'red', cancelled: 'yellow' } as const

/** What happened in a session, in time order: its agents, their model and tool calls, and its sub-tactics. */
export function sessionTree(session: SessionRecord): TreeLine {
  return sessionLine(session, Date.parse(session.started_at))
}

function sessionLine(session: SessionRecord, originMs: number): TreeLine {
  const children = [
    ...session.agent_calls.map((call) => ({ at: call.started_at, line: agentLine(call, originMs) })),
    ...(session.sub_sessions as readonly SessionRecord[]).map((sub) => ({
      at: sub.started_at,
      line: sessionLine(sub, originMs),
    })),
  ]
  return {
    head: [
      offset(session, originMs),
      { text: 'tactic' },
      { text: session.tactic, style: 'bold' },
      { text: session.state, style: stateStyles[session.state] },
      ...figures(session),
    ],
    ...(session.error === null ? {} : { detail: inOneLine(`${session.error.code}: ${session.error.message}`) }),
    children: inOrder(children),
  }
}

function agentLine(call: AgentCallRecord, originMs: number): TreeLine {
  const retriesOfStep = Map.groupBy(call.retries, ({ step }) => step)
  const children = [
    ...call.llm_calls.flatMap((llmCall) => {
      // The retries of a step are in the order of the tries that they came after.
      const retry = retriesOfStep.get(llmCall.step)?.[llmCall.attempt]
      const at = llmCall.started_at
      const own = { at, line: modelLine(llmCall, originMs) }
      return retry === undefined ? [own] : [own, { at, line: retryLine(retry) }]
    }),
    ...call.tool_calls.map((tool) => ({ at: tool.started_at, line: toolLine(tool, originMs) })),
  ]
  const dialog = call.dialog === '' ? [] : [{ text: `(${inOneLine(call.dialog)})`, style: 'dim' } as const]
  return {
    head: [
      offset(call, originMs),
      { text: 'agent' },
      { text: inOneLine(call.agent), style: 'bold' },
      ...dialog,
      { text: call.state, style: stateStyles[call.state] },
      ...figures(call),
    ],
    ...(call.delivery === null ? {} : { detail: inOneLine(call.delivery.content) }),
    children: inOrder(children),
  }
}

function modelLine(call: LlmCallRecord, originMs: number): TreeLine {
  const { usage, error, response, attempt } = call
  const tokens = usage === null ? [] : [dim(`${usage.prompt_tokens} + ${usage.completion_tokens} tokens`)]
  return {
    head: [
      offset(call, originMs),
      { text: 'model' },
      { text: inOneLine(call.model), style: 'bold' },
      ...(attempt === 0 ? [] : [{ text: `try ${attempt + 1}`, style: 'yellow' } as const]),
      ...(error === null ? [] : [{ text: error.code, style: 'red' } as const]),
      dim(tellDuration(call.duration_ms)),
      ...tokens,
      dim(tellCostRecord(call.cost)),
    ],
    detail: inOneLine(error === null ? tellReply(response) : error.message),
    children: [],
  }
}

/** The text of a reply, and the tools that it wants to have called. */
function tellReply(response: LlmCallRecord['response']): string {
  if (response === null) return ''
  const message = response.message as { readonly content: unknown; readonly tool_calls?: readonly { name: string }[] }
  const wanted = (message.tool_calls ?? []).map(({ name }) => `calls ${name}`)
  return [...(message.content === '' ? [] : [String(message.content)]), ...wanted].join(', ')
}

function toolLine(tool: ToolCallRecord, originMs: number): TreeLine {
  const state: readonly Span[] = tool.error === null ? [] : [{ text: 'failed', style: 'red' }]
  return {
    head: [
      offset(tool, originMs),
      { text: 'tool' },
      { text: inOneLine(tool.name), style: 'bold' },
      ...state,
      dim(tellDuration(tool.duration_ms)),
    ],
    detail: `${inOneLine(tool.arguments)} → ${inOneLine(tool.error ?? tool.result)}`,
    children: [],
  }
}

const retryTexts: Readonly<Record<RetryRecord['kind'], string>> = {
  exception: 'asked again, for the reply was unusable',
  recall: 'asked again, for the provider failed',
  fallback: 'asked the next model',
}

function retryLine({ kind, waited_ms: waitedMs, error }: RetryRecord): TreeLine {
  const waited = waitedMs > 0 ? [dim(`after ${tellDuration(waitedMs)}`)] : []
  return { head: [{ text: retryTexts[kind], style: 'yellow' }, ...waited], detail: inOneLine(error), children: [] }
}

function figures({ duration_ms: durationMs, cost }: Pick<AgentCallRecord, 'duration_ms' | 'cost'>): readonly Span[] {
  return [dim(tellDuration(durationMs)), dim(tellCount(cost.total_tokens, 'token')), dim(tellCostRecord(cost))]
}

/** When it began, from the beginning of the whole. */
function offset({ started_at: startedAt }: { readonly started_at: string }, originMs: number): Span {
  return dim(`+${tellDuration(Math.max(0, Date.parse(startedAt) - originMs))}`)
}

function dim(text: string): Span {
  return { text, style: 'dim' }
}

/** RFC 3339 in UTC sorts by time. What began in one millisecond stays as it was recorded. */
function inOrder(lines: readonly { readonly at: string; readonly line: TreeLine }[]): readonly TreeLine[] {
  return lines
    .toSorted((left, right) => (left.at === right.at ? 0 : left.at < right.at ? -1 : 1))
    .map(({ line }) => line)
}
