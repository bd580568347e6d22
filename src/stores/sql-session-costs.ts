import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CostGroup, SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import { tagOf, tagValue } from './cost-tags.ts'
import { dayOf, namedKeys, type PartialCosts, type SqlCount, type SqlKey, toGroupTotals } from './sql-cost-rows.ts'
import { filterSessions } from './sql-filter.ts'
import type { SessionDatabase } from './sql-schema.ts'

/** Sums what the sessions of a tenant and a filter cost, in groups: one pass over their cost lines, and one count of the sessions. */
export async function querySessionCosts(
  db: Kysely<SessionDatabase>,
  tenant: string,
  filter: SessionFilter,
  groupBy: readonly CostGroup[],
): Promise<PartialCosts> {
  const { query } = filterSessions(db, tenant, filter)
  const keys = namedKeys(groupBy, keyExpression)
  const groups = await db
    .selectFrom(query.select(['sessions.id', 'sessions.started_at']).as('sessions'))
    // SQLite takes the tables of a cross join in this order: the sessions lead, however few they are, and not the lines of all.
    .crossJoin('cost_lines')
    .whereRef('cost_lines.session_id', '=', 'sessions.id')
    .select(sums)
    .select(keys.map(({ expression, alias }) => expression.as(alias)))
    .$if(keys.length > 0, (lines) => lines.groupBy(keys.map(({ alias }) => sql.ref(alias))))
    // Without anything to group by, SQL gives a row even where there is no line.
    .having(sql<number>`count(*)`, '>', 0)
    .execute()
  const { sessions } = await query.select(sql<SqlCount>`count(*)`.as('sessions')).executeTakeFirstOrThrow()
  return { groups: groups.map((row) => toGroupTotals(row, groupBy)), sessions: Number(sessions) }
}

function keyExpression(group: CostGroup): RawBuilder<SqlKey> {
  switch (group) {
    case 'tactic':
    case 'tactic_id':
    case 'agent':
    case 'model':
      return sql.ref(`cost_lines.${group}`)
    case 'day':
      return dayOf('sessions.started_at')
    default:
      return tagValue(toColumnText(tagOf(group) ?? ''))
  }
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

function sum(column: string): RawBuilder<string> {
  return sql`cast(sum(${sql.ref(`cost_lines.${column}`)}) as text)`
}
