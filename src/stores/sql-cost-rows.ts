import { type RawBuilder, sql } from 'kysely'
import type { CostGroup, CostGroupTotals } from '../domain/session-store.ts'
import { fromColumnText } from './column-text.ts'
import { dayName } from './cost-groups.ts'
import type { sumColumns } from './cost-sum-schema.ts'

export type SqlCount = bigint | string
export type SqlKey = string | bigint | null
type SumColumn = (typeof sumColumns)[number]

/** A group as a database gives it: what it is grouped by, and sums as text, since drivers differ in what they make of large numbers. */
export type CostRow = { readonly sessions: SqlCount } & { readonly [Column in SumColumn]: string } & {
  readonly [key: `key_${number}`]: SqlKey
}

/** Sums of some sessions, which may be one part of a report. */
export interface PartialCosts {
  readonly groups: readonly CostGroupTotals[]
  /** Those without a model call too. */
  readonly sessions: number
}

/** The expressions of groups, by the names that they have in a CostRow. */
export function namedKeys(groupBy: readonly CostGroup[], expressionOf: (group: CostGroup) => RawBuilder<SqlKey>) {
  return groupBy.map((group, index) => ({ expression: expressionOf(group), alias: `key_${index}` as const }))
}

/** The UTC day of a time. The divisor is part of the text: as a parameter SQLite would take it for a float, and divide so. */
export function dayOf(column: string): RawBuilder<SqlKey> {
  return sql`${sql.ref(column)} / 86400000`
}

export function toGroupTotals(row: CostRow, groupBy: readonly CostGroup[]): CostGroupTotals {
  return {
    keys: groupBy.map((group, index) => toKey(group, row[`key_${index}`] ?? null)),
    sessions: Number(row.sessions),
    llmCalls: Number(row.llm_calls),
    promptTokens: Number(row.prompt_tokens),
    cachedPromptTokens: Number(row.cached_prompt_tokens),
    completionTokens: Number(row.completion_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    totalTokens: Number(row.total_tokens),
    promptPicoUsd: BigInt(row.prompt_micro_usd) * 1_000_000n + BigInt(row.prompt_pico_usd_rest),
    completionPicoUsd: BigInt(row.completion_micro_usd) * 1_000_000n + BigInt(row.completion_pico_usd_rest),
    pricedCalls: Number(row.priced_calls),
    unpricedCalls: Number(row.unpriced_calls),
  }
}

function toKey(group: CostGroup, key: SqlKey): string | null {
  if (key === null) return null
  return group === 'day' ? dayName(Number(key)) : fromColumnText(String(key))
}
