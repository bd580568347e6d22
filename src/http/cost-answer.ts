import { addCosts, isUnpriced, picoUsdPerUsd } from '../domain/cost.ts'
import type { CostLine } from '../domain/cost-report.ts'
import { toCostRecord } from '../domain/session-record.ts'
import type { CostGroup, CostReport, CostTotals } from '../domain/session-store.ts'

/** The answer of `GET /sessions/{id}/cost`. */
export function toSessionCostAnswer(sessionId: string, lines: readonly CostLine[]) {
  return {
    session_id: sessionId,
    total: {
      llm_calls: lines.reduce((count, { llmCalls }) => count + llmCalls, 0),
      ...toCostRecord(addCosts(lines.map(({ cost }) => cost))),
    },
    lines: lines.map(({ tactic, tacticId, agent, model, llmCalls, cost }) => ({
      tactic,
      tactic_id: tacticId,
      agent,
      model,
      llm_calls: llmCalls,
      ...toCostRecord(cost),
    })),
  }
}

/** The answer of `GET /costs`. */
export function toCostsAnswer({ data, total }: CostReport, groupBy: readonly CostGroup[]) {
  return {
    data: data.map((row) => ({
      ...Object.fromEntries(groupBy.map((group, index) => [group, row.keys[index] ?? null])),
      ...toTotalsRecord(row),
    })),
    total: toTotalsRecord(total),
  }
}

function toTotalsRecord(totals: CostTotals) {
  const unpriced = isUnpriced(totals)
  return {
    sessions: totals.sessions,
    llm_calls: totals.llmCalls,
    prompt_tokens: totals.promptTokens,
    cached_prompt_tokens: totals.cachedPromptTokens,
    completion_tokens: totals.completionTokens,
    reasoning_tokens: totals.reasoningTokens,
    total_tokens: totals.totalTokens,
    prompt_cost_usd: unpriced ? null : toUsd(totals.promptPicoUsd),
    completion_cost_usd: unpriced ? null : toUsd(totals.completionPicoUsd),
    cost_usd: unpriced ? null : toUsd(totals.promptPicoUsd + totals.completionPicoUsd),
    unpriced_calls: totals.unpricedCalls,
  }
}

export type TotalsRecord = ReturnType<typeof toTotalsRecord>

/** The nearest number: beyond $9,007 a number cannot tell single pico-USD apart. */
function toUsd(pico: bigint): number {
  return Number(pico) / picoUsdPerUsd
}
