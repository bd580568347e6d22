import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CostGroup, CostGroupTotals, CostReport, SessionFilter } from '../domain/session-store.ts'
import { fromColumnText, toColumnText } from './column-text.ts'
import { dayName, toCostReport } from './cost-groups.ts'
import { filterSessions } from './sql-filter.ts'
import type { SessionDatabase } from './sql-schema.ts'

/** Sums what the sessions of a filter cost, in groups: one pass over their cost lines, and one count of the sessions. */
export async function queryCosts(
  db: Kysely<SessionDatabase>,
  tenant: string,
  filter: SessionFilter,
  groupBy: readonly CostGroup[],
): Promise<CostReport> {
  const { query } = filterSessions(db, tenant, filter)
  const keys = groupBy.map((group, index) => ({ expression: keyExpression(group), alias: `key_${index}` as const }))
  const groups = await db
    .selectFrom(query.select(['sessions.id', 'sessions.started_at']).as('sessions'))
    .innerJoin('cost_lines', 'cost_lines.session_id', 'sessions.id')
    .select(sums)
    .select(keys.map(({ expression, alias }) => expression.as(alias)))
    .$if(keys.length > 0, (lines) => lines.groupBy(keys.map(({ alias }) => sql.ref(alias))))
    // Without anything to group by, SQL gives a row even where there is no line.
    .having(sql<number>`count(*)`, '>', 0)
    .execute()
  const { sessions } = await query.select(sql<SqlCount>`count(*)`.as('sessions')).executeTakeFirstOrThrow()
  return toCostReport(
    groups.map((row) => toGroupTotals(row, groupBy)),
    Number(sessions),
  )
}

type SqlCount = bigint | string
type SqlKey = string | bigint | null

function keyExpression(group: CostGroup): RawBuilder<SqlKey> {
  switch (group) {
    case 'tactic':
    case 'tactic_id':
    case 'agent':
    case 'model':
      return sql.ref(`cost_lines.${group}`)
    case 'day':
      // The divisor is part of the text: as a parameter SQLite would take it for a float, and divide so.
      return sql`sessions.started_at / 86400000`
    default:
      // A session has at most one value of a tag.
      return sql`(select value from session_tags where session_id = sessions.id and key = ${toColumnText(tagOf(group))})`
  }
}

function tagOf(group: `tag.${string}`): string {
  return group.slice('tag.'.length)
}

const sums = [
  sql<SqlCount>`count(distinct cost_lines.session_id)`.as('sessions'),
  sum('llm_calls').as('llm_calls'),
  sum('prompt_tokens').as('prompt_tokens'),
  sum('cached_prompt_tokens').as('cached_prompt_tokens'),
  sum('completion_tokens').as('completion_tokens'),
  sum('reasoning_tokens').as('reasoning_tokens'),
  sum('total_tokens').as('total_tokens'),
  sum('priced_calls').as('priced_calls'),
  sum('unpriced_calls').as('unpriced_calls'),
  // 64 bits hold 9.2 million USD in pico-USD. Summed in two parts, money has no such end.
  sql<string>`cast(sum(cost_lines.prompt_pico_usd / 1000000) as text)`.as('prompt_micro_usd'),
  sql<string>`cast(sum(cost_lines.prompt_pico_usd % 1000000) as text)`.as('prompt_pico_usd_rest'),
  sql<string>`cast(sum(cost_lines.completion_pico_usd / 1000000) as text)`.as('completion_micro_usd'),
  sql<string>`cast(sum(cost_lines.completion_pico_usd % 1000000) as text)`.as('completion_pico_usd_rest'),
] as const

/** As text, since drivers differ in what they make of a large whole number. */
function sum(column: string): RawBuilder<string> {
  return sql`cast(sum(${sql.ref(`cost_lines.${column}`)}) as text)`
}

type SumName = Exclude<(typeof sums)[number]['alias'], 'sessions'>
type GroupRow = { readonly sessions: SqlCount } & { readonly [Name in SumName & string]: string } & {
  readonly [key: `key_${number}`]: SqlKey
}

function toGroupTotals(row: GroupRow, groupBy: readonly CostGroup[]): CostGroupTotals {
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
