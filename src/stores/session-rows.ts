import type { Cost } from '../domain/cost.ts'
import type { CostLine } from '../domain/cost-report.ts'
import { toColumnText } from './column-text.ts'
import { type CostLineRow, costLineColumns, type SessionRow, sessionColumns } from './sql-schema.ts'
import type { StoredSession } from './stored-session.ts'

export type SqlValue = string | number
/** The values of one row, in the order of its table's columns. */
export type Row = readonly SqlValue[]

/** A session as rows. Positional, because it is copied to another thread for every save and names would be most of it. */
export interface SessionRows {
  readonly id: string
  readonly session: Row
  readonly payload: Row
  readonly lines: readonly Row[]
  readonly tags: readonly Row[]
}

export function toSessionRows({ tenant, summary, lines, record }: StoredSession): SessionRows {
  const { id, startedAtMs, tags } = summary
  const session: SessionRow = {
    id,
    tenant,
    tactic: toColumnText(summary.tactic),
    tactic_id: toColumnText(summary.tacticId),
    state: summary.state,
    started_at: startedAtMs,
    duration_ms: summary.durationMs,
    agent_calls: summary.agentCalls,
    sub_tactic_calls: summary.subTacticCalls,
    llm_calls: summary.llmCalls,
    ...toCostColumns(summary.cost),
    tags: JSON.stringify(tags),
  }
  return {
    id,
    session: sessionColumns.map((column) => session[column]),
    payload: [id, record],
    lines: lines.map((line, position) => toCostLineRow(id, line, position)),
    tags: Object.entries(tags).map(([key, value]) => [id, toColumnText(key), toColumnText(value), startedAtMs, tenant]),
  }
}

function toCostLineRow(id: string, line: CostLine, position: number): Row {
  const row: CostLineRow = {
    session_id: id,
    position,
    tactic: toColumnText(line.tactic),
    tactic_id: toColumnText(line.tacticId),
    agent: toColumnText(line.agent),
    model: toColumnText(line.model),
    llm_calls: line.llmCalls,
    ...toCostColumns(line.cost),
  }
  return costLineColumns.map((column) => row[column])
}

export function toCostColumns(cost: Cost) {
  return {
    prompt_tokens: cost.promptTokens,
    cached_prompt_tokens: cost.cachedPromptTokens,
    completion_tokens: cost.completionTokens,
    reasoning_tokens: cost.reasoningTokens,
    total_tokens: cost.totalTokens,
    prompt_pico_usd: cost.promptPicoUsd,
    completion_pico_usd: cost.completionPicoUsd,
    priced_calls: cost.pricedCalls,
    unpriced_calls: cost.unpricedCalls,
  }
}
