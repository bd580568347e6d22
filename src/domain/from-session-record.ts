import { toRfc3339 } from './clock.ts'
import { addCosts, type Cost, picoUsdPerUsd, toUsd, type Usage } from './cost.ts'
import type { ErrorCode } from './errors.ts'
import { fromAssistantRecord, fromMessageRecord } from './from-message-record.ts'
import { type AgentCall, countLlmCalls, type ErrorRecord, type LlmCall, type Session } from './session.ts'
import {
  type AgentCallRecord,
  type CostRecord,
  type LlmCallRecord,
  type SessionRecord,
  toCostRecord,
} from './session-record.ts'

/** No single call of a model costs more. Below it, whole pico-USD survive being written as a number of USD. */
const callUsdMax = 2_000

/**
 * The session that a record was made from: the inverse of `toSessionRecord`. The record has the right shape, but may come
 * from somebody who is not trusted: its sums are made again, and have to be the same.
 *
 * @throws RangeError that says what does not add up.
 */
export function fromSessionRecord(record: SessionRecord): Session {
  const agentCalls = record.agent_calls.map(toAgentCall)
  const subSessions = record.sub_sessions.map(fromSessionRecord)
  const session: Session = {
    id: record.id,
    tactic: record.tactic,
    tacticId: record.tactic_id,
    state: record.state,
    endReason: record.end_reason,
    startedAtMs: toTime(record.started_at),
    endedAtMs: toTime(record.ended_at),
    task: record.task,
    result: record.result,
    error: record.error && toError(record.error),
    tags: record.tags,
    metadata: record.metadata,
    config: { name: record.config.name, hash: record.config.hash },
    simulated: record.simulated,
    agentCalls,
    subSessions,
    cost: addCosts([...agentCalls, ...subSessions].map(({ cost }) => cost)),
    ...(record.content === undefined ? {} : { content: record.content }),
  }
  expectSame('duration', record.duration_ms, session.endedAtMs - session.startedAtMs)
  expectSame('number of agent calls', record.agent_call_count, agentCalls.length)
  expectSame('number of sub-tactic calls', record.sub_tactic_call_count, subSessions.length)
  expectSame('number of model calls', record.llm_call_count, countLlmCalls(session))
  expectSum('a session', record.cost, session.cost)
  return session
}

function toAgentCall(record: AgentCallRecord): AgentCall {
  const llmCalls = record.llm_calls.map(toLlmCall)
  const cost = addCosts(llmCalls.map((call) => call.cost))
  expectSum('an agent call', record.cost, cost)
  return {
    id: record.id,
    agent: record.agent,
    dialog: record.dialog,
    state: record.state,
    startedAtMs: toTime(record.started_at),
    durationMs: record.duration_ms,
    cost,
    llmCalls,
    toolCalls: record.tool_calls.map((call) => ({
      id: call.id,
      step: call.step,
      name: call.name,
      arguments: call.arguments,
      result: call.result,
      error: call.error,
      startedAtMs: toTime(call.started_at),
      durationMs: call.duration_ms,
    })),
    retries: record.retries.map(({ kind, step, error, waited_ms }) => ({ kind, step, error, waitedMs: waited_ms })),
    delivery: record.delivery && fromAssistantRecord(record.delivery),
  }
}

function toLlmCall(record: LlmCallRecord): LlmCall {
  const { request, response, error } = record
  const usage = record.usage && toUsage(record.usage)
  return {
    id: record.id,
    step: record.step,
    attempt: record.attempt,
    invoker: record.invoker,
    model: record.model,
    startedAtMs: toTime(record.started_at),
    durationMs: record.duration_ms,
    request: {
      messages: request.messages.map(fromMessageRecord),
      args: request.args,
      tools: request.tools.map(({ name, description, parameters, strict }) => {
        return { name, description, parameters, strict }
      }),
    },
    response: response && {
      id: response.id,
      model: response.model,
      message: fromAssistantRecord(response.message),
      finishReason: response.finish_reason,
    },
    usage,
    cost: toCallCost(record.cost, usage),
    error: error && { code: error.code, message: error.message },
  }
}

function toUsage(record: NonNullable<LlmCallRecord['usage']>): Usage {
  return {
    promptTokens: record.prompt_tokens,
    cachedPromptTokens: record.cached_prompt_tokens,
    completionTokens: record.completion_tokens,
    reasoningTokens: record.reasoning_tokens,
    ...(record.estimated === true ? { estimated: true } : {}),
  }
}

/** The cost of one call of a model: all other costs are sums of these. */
function toCallCost(record: CostRecord, usage: Usage | null): Cost {
  const cost: Cost = {
    promptTokens: record.prompt_tokens,
    cachedPromptTokens: record.cached_prompt_tokens,
    completionTokens: record.completion_tokens,
    reasoningTokens: record.reasoning_tokens,
    totalTokens: record.total_tokens,
    promptPicoUsd: toPico(record.prompt_cost_usd),
    completionPicoUsd: toPico(record.completion_cost_usd),
    pricedCalls: wasPriced(record, usage) ? 1 : 0,
    unpricedCalls: record.unpriced_calls,
  }
  expectSame('number of tokens', record.total_tokens, record.prompt_tokens + record.completion_tokens)
  expectSum('a model call', record, cost)
  return cost
}

/** Records do not say it in so many words: a call that cost nothing was priced at nothing, or was not billed at all. */
function wasPriced(record: CostRecord, usage: Usage | null): boolean {
  if (record.cost_usd === null) return false
  if (record.unpriced_calls > 0 || record.cost_usd > 0 || record.total_tokens > 0) return true
  return usage !== null && usage.promptTokens + usage.completionTokens === 0
}

function toPico(usd: number | null): number {
  if (usd === null) return 0
  const pico = Math.round(usd * picoUsdPerUsd)
  if (usd >= 0 && usd <= callUsdMax && toUsd(pico) === usd) return pico
  throw new RangeError(`The cost of a model call is no whole number of pico-USD from 0 to $${callUsdMax}.`)
}

function toTime(text: string): number {
  const timeMs = Date.parse(text)
  if (Number.isFinite(timeMs) && toRfc3339(timeMs) === text) return timeMs
  throw new RangeError('A time is not RFC 3339 in UTC with milliseconds.')
}

function toError({ code, message, ...data }: NonNullable<SessionRecord['error']>): ErrorRecord {
  return { code: code as ErrorCode, message, data }
}

function expectSum(what: string, told: CostRecord, summed: Cost): void {
  const expected = toCostRecord(summed)
  for (const key of Object.keys(expected) as (keyof CostRecord)[]) {
    const value = expected[key]
    // Beyond this, sums are no longer exact.
    if (value !== null && value * (key.endsWith('_usd') ? picoUsdPerUsd : 1) > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(`The ${key} of ${what} is too large.`)
    }
    if (told[key] !== value) throw new RangeError(`The ${key} of ${what} is not the sum of its parts.`)
  }
}

function expectSame(what: string, told: number, counted: number): void {
  if (told !== counted) throw new RangeError(`The ${what} is told as ${told}, but it is ${counted}.`)
}
