import { addCosts, type Cost, costOf, type Price, type Usage } from '../../src/domain/cost.ts'
import type { AgentCall, LlmCall, Session } from '../../src/domain/session.ts'

/** What a model call of a test session says. Whatever is left out is small and ordinary. */
export interface CallSketch {
  readonly agent?: string
  readonly model?: string
  readonly usage?: Partial<Usage>
  /** Null: nobody knows what the call cost. */
  readonly price?: Price | null
  readonly text?: string
}

export interface SessionSketch extends Partial<Omit<Session, 'agentCalls' | 'subSessions' | 'cost'>> {
  readonly calls?: readonly CallSketch[]
  readonly subSessions?: readonly Session[]
}

/** 2026-11-22T10:00:00.000Z */
export const testStartMs = Date.UTC(2026, 10, 22, 10)

/** An id of the form of UUIDv7 that sorts by its number. */
export function sessionId(number: number): string {
  return `01931f00-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
}

/** A whole session from what matters to a test. Its cost is the sum of its tree, as an engine makes it. */
export function buildSession({ calls = [{}], subSessions = [], ...given }: SessionSketch = {}): Session {
  const startedAtMs = given.startedAtMs ?? testStartMs
  const tactic = given.tactic ?? 'essay'
  const agentCalls = calls.map((call, index) => buildAgentCall(call, startedAtMs, index))
  return {
    id: sessionId(1),
    tactic,
    tacticId: `demo::${tactic}`,
    state: 'success',
    endReason: null,
    startedAtMs,
    endedAtMs: startedAtMs + 1_234,
    task: 'bees',
    result: 'Bees are busy.',
    error: null,
    tags: {},
    metadata: {},
    config: { name: 'default', hash: 'c0ffee' },
    simulated: true,
    ...given,
    agentCalls,
    subSessions,
    cost: addCosts([...agentCalls.map(({ cost }) => cost), ...subSessions.map(({ cost }) => cost)]),
  }
}

function buildAgentCall(sketch: CallSketch, startedAtMs: number, index: number): AgentCall {
  const llmCall = buildLlmCall(sketch, startedAtMs, index)
  return {
    id: `agent-call-${index}`,
    agent: sketch.agent ?? 'writer',
    dialog: 'main',
    state: 'success',
    startedAtMs,
    durationMs: 1_000,
    cost: llmCall.cost,
    llmCalls: [llmCall],
    toolCalls: [],
    retries: [],
    delivery: llmCall.response?.message ?? null,
  }
}

function buildLlmCall(sketch: CallSketch, startedAtMs: number, index: number): LlmCall {
  const usage: Usage = {
    promptTokens: 100,
    cachedPromptTokens: 0,
    completionTokens: 20,
    reasoningTokens: 0,
    ...sketch.usage,
  }
  const price = sketch.price === undefined ? { promptPicoUsd: 15_000_000, completionPicoUsd: 12_000_000 } : sketch.price
  const cost: Cost = costOf(usage, price)
  const text = sketch.text ?? 'Bees are busy.'
  return {
    id: `llm-call-${index}`,
    step: 0,
    attempt: 0,
    invoker: 'simulated',
    model: sketch.model ?? 'gpt-4o-mini',
    startedAtMs,
    durationMs: 900,
    request: {
      messages: [
        { role: 'system', content: 'You are a concise technical writer.' },
        { role: 'user', content: 'Write about bees.' },
      ],
      args: { temperature: 0.2 },
      tools: [],
    },
    response: {
      id: 'chatcmpl-1',
      model: 'gpt-4o-mini',
      message: { role: 'assistant', content: text },
      finishReason: 'stop',
    },
    usage,
    cost,
    error: null,
  }
}
