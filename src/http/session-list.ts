import { toRfc3339 } from '../domain/clock.ts'
import { costUsd } from '../domain/cost.ts'
import type { SessionPage, SessionSummary } from '../domain/session-store.ts'
import { toCursor } from './cursor.ts'

/** The answer of `GET /sessions`. */
export function toSessionList({ data, next }: SessionPage) {
  return { data: data.map(toListItem), next_cursor: next && toCursor(next) }
}

function toListItem(session: SessionSummary) {
  return {
    id: session.id,
    tactic: session.tactic,
    tactic_id: session.tacticId,
    state: session.state,
    started_at: toRfc3339(session.startedAtMs),
    duration_ms: session.durationMs,
    agent_calls: session.agentCalls,
    sub_tactic_calls: session.subTacticCalls,
    llm_calls: session.llmCalls,
    tokens: session.cost.totalTokens,
    cost_usd: costUsd(session.cost),
    tags: session.tags,
  }
}
