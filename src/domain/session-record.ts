import { toRfc3339 } from './clock.ts'
import { type Cost, costUsd, isUnpriced, toUsd } from './cost.ts'
import type { AssistantMessage, Message } from './message.ts'
import { type AgentCall, countLlmCalls, type ErrorRecord, type LlmCall, type Session } from './session.ts'
import type { StoreContent } from './store-content.ts'

/** The JSON shape of a session: what is stored, and what the HTTP service sends. Fixed by the HTTP contract. */
export interface SessionRecord extends ReturnType<typeof toOwnRecord> {
  /** In the order in which they began. */
  readonly sub_sessions: readonly SessionRecord[]
}

export type CostRecord = ReturnType<typeof toCostRecord>
export type AgentCallRecord = ReturnType<typeof toAgentCallRecord>
export type LlmCallRecord = ReturnType<typeof toLlmCallRecord>
export type MessageRecord = ReturnType<typeof toMessageRecord>

/** A cost as JSON. Money is in USD; it is null where nothing could be priced. */
export function toCostRecord(cost: Cost) {
  const unpriced = isUnpriced(cost)
  return {
    prompt_tokens: cost.promptTokens,
    cached_prompt_tokens: cost.cachedPromptTokens,
    completion_tokens: cost.completionTokens,
    reasoning_tokens: cost.reasoningTokens,
    total_tokens: cost.totalTokens,
    prompt_cost_usd: unpriced ? null : toUsd(cost.promptPicoUsd),
    completion_cost_usd: unpriced ? null : toUsd(cost.completionPicoUsd),
    cost_usd: costUsd(cost),
    unpriced_calls: cost.unpricedCalls,
  }
}

export type SessionSummaryRecord = ReturnType<typeof toSummaryRecord>

/** What `return_session: "summary"` gives. */
export function toSummaryRecord(session: Session) {
  return {
    id: session.id,
    tactic: session.tactic,
    state: session.state,
    agent_calls: session.agentCalls.length,
    sub_tactic_calls: session.subSessions.length,
    llm_calls: countLlmCalls(session),
    total_cost: costUsd(session.cost),
    duration_ms: session.endedAtMs - session.startedAtMs,
  }
}

/** @returns The whole tree in snake_case. Texts and values of callers and models are left as they are. */
export function toSessionRecord(session: Session): SessionRecord {
  return { ...toOwnRecord(session), sub_sessions: session.subSessions.map(toSessionRecord) }
}

/**
 * The record as the JSON text that is stored.
 *
 * @throws TypeError for what JSON cannot carry, RangeError for what is too large for one text.
 */
export function writeSessionRecord(session: Session): string {
  return JSON.stringify(toSessionRecord(session))
}

function toOwnRecord(session: Session) {
  return {
    id: session.id,
    tactic: session.tactic,
    tactic_id: session.tacticId,
    state: session.state,
    end_reason: session.endReason,
    started_at: toRfc3339(session.startedAtMs),
    ended_at: toRfc3339(session.endedAtMs),
    duration_ms: session.endedAtMs - session.startedAtMs,
    task: session.task,
    result: session.result ?? null,
    error: session.error && toErrorRecord(session.error),
    tags: session.tags,
    metadata: session.metadata,
    config: session.config,
    simulated: session.simulated,
    agent_call_count: session.agentCalls.length,
    sub_tactic_call_count: session.subSessions.length,
    llm_call_count: countLlmCalls(session),
    cost: toCostRecord(session.cost),
    agent_calls: session.agentCalls.map(toAgentCallRecord),
    ...toContentRecord(session),
  }
}

/** What has all of its texts does not say so. */
export function toContentRecord({ content = 'full' }: { readonly content?: StoreContent }): {
  readonly content?: 'redacted' | 'none'
} {
  return content === 'full' ? {} : { content }
}

/** An error as a session tells it. */
export function toErrorRecord({ code, message, data = {} }: ErrorRecord) {
  const { retryAfterMs: _, ...shown } = data
  return { ...shown, code, message }
}

function toAgentCallRecord(call: AgentCall) {
  return {
    id: call.id,
    agent: call.agent,
    dialog: call.dialog,
    state: call.state,
    started_at: toRfc3339(call.startedAtMs),
    duration_ms: call.durationMs,
    cost: toCostRecord(call.cost),
    llm_calls: call.llmCalls.map(toLlmCallRecord),
    tool_calls: call.toolCalls.map(({ startedAtMs, durationMs, ...tool }) => ({
      ...tool,
      started_at: toRfc3339(startedAtMs),
      duration_ms: durationMs,
    })),
    retries: call.retries.map(({ waitedMs, ...retry }) => ({ ...retry, waited_ms: waitedMs })),
    delivery: call.delivery && toAssistantRecord(call.delivery),
  }
}

function toLlmCallRecord(call: LlmCall) {
  const { usage, response } = call
  return {
    id: call.id,
    step: call.step,
    attempt: call.attempt,
    invoker: call.invoker,
    model: call.model,
    started_at: toRfc3339(call.startedAtMs),
    duration_ms: call.durationMs,
    request: {
      messages: call.request.messages.map(toMessageRecord),
      args: call.request.args,
      tools: call.request.tools,
    },
    response: response && {
      id: response.id,
      model: response.model,
      message: toAssistantRecord(response.message),
      finish_reason: response.finishReason,
    },
    usage: usage && {
      prompt_tokens: usage.promptTokens,
      cached_prompt_tokens: usage.cachedPromptTokens,
      completion_tokens: usage.completionTokens,
      reasoning_tokens: usage.reasoningTokens,
      ...(usage.estimated && { estimated: true }),
    },
    cost: toCostRecord(call.cost),
    error: call.error,
  }
}

export interface AssistantRecord extends Omit<AssistantMessage, 'toolCalls'> {
  readonly tool_calls?: NonNullable<AssistantMessage['toolCalls']>
}

function toAssistantRecord({ toolCalls, ...rest }: AssistantMessage): AssistantRecord {
  return toolCalls === undefined ? rest : { ...rest, tool_calls: toolCalls }
}

function toMessageRecord(message: Message) {
  switch (message.role) {
    case 'assistant':
      return toAssistantRecord(message)
    case 'tool': {
      const { toolCallId, ...rest } = message
      return { ...rest, tool_call_id: toolCallId }
    }
    case 'user':
      return typeof message.content === 'string' ? message : { ...message, content: message.content.map(toPartRecord) }
    case 'system':
      return message
  }
}

function toPartRecord(part: Exclude<Extract<Message, { role: 'user' }>['content'], string>[number]) {
  if (part.type === 'text') return part
  const { mediaType, ...rest } = part
  return mediaType === undefined ? rest : { ...rest, media_type: mediaType }
}
