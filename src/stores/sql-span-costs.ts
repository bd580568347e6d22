import { type RawBuilder, sql } from 'kysely'
import type { CostGroup, SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import { type CostSpan, dayMs } from './cost-spans.ts'
import { alike, countOnly, groupings, sumColumns } from './cost-sum-schema.ts'
import { tagOf } from './cost-tags.ts'
import {
  type CostRow,
  dayOf,
  namedKeys,
  type PartialCosts,
  type SqlCount,
  type SqlKey,
  toGroupTotals,
} from './sql-cost-rows.ts'
import type { SumScope } from './sql-costs.ts'

const sumNames = sql.join(sumColumns.map((column) => sql.ref(`sums.${column}`)))

/**
 * Tells from the sums of hours or days what their sessions cost.
 *
 * @param starts When they start: one at least. Each is looked up by itself, without a join, which a database that knows nothing yet of the
 *   rows would begin at the wrong end.
 */
export async function querySpanCosts(
  { db, tenant, tagKey }: SumScope,
  spanMs: CostSpan['spanMs'],
  starts: ReadonlySet<number>,
  filter: SessionFilter,
  groupBy: readonly CostGroup[],
): Promise<PartialCosts> {
  const keys = namedKeys(groupBy, keyExpression)
  const selected = keys.map(({ expression, alias }) => sql`${expression} as ${sql.ref(alias)},`)
  const names = keys.map(({ alias }) => sql.ref(alias))
  const [first, last] = [Math.min(...starts), Math.max(...starts)]
  const sumsOf = (grouping: number) => sql`cost_sums as sums
    where sums.tenant = ${tenant} and sums.tag_key = ${tagKey} and sums.span_ms = ${spanMs}
      and sums.starts_at in (${sql.join([...starts])}) and sums.starts_at between ${first} and ${last}
      and sums.grouping = ${grouping} and ${conditionsOf(filter)}`
  const rows =
    spanMs === dayMs
      ? sql`select ${join(selected)} 1 as share, sums.sessions, ${sumNames} from ${sumsOf(groupingOf(groupBy))}`
      : sql`select ${join(selected)} sums.sessions, ${sumNames}, row_number() over (
          partition by ${sql.join([sql`sums.starts_at`, sql`sums.number`, ...keys.map(({ expression }) => expression)])}
        ) as share from ${sumsOf(alike)}`
  // A row of a day is a group by itself. Rows of an hour that have one number are shares of the same sessions, which count once in a group.
  const groups = await sql<CostRow>`
    select ${join(names.map((name) => sql`${name},`))}
      cast(sum(case when share = 1 then sessions else 0 end) as text) as sessions,
      ${sql.join(sumColumns.map((column) => sql`cast(sum(${sql.ref(column)}) as text) as ${sql.ref(column)}`))}
    from (${rows}) as shares ${names.length > 0 ? sql`group by ${sql.join(names)}` : sql``}
    having count(*) > 0`.execute(db)
  const counted = await sql<{ readonly sessions: SqlCount }>`
    select cast(coalesce(sum(sums.sessions), 0) as text) as sessions from ${sumsOf(countOnly)}`.execute(db)
  return {
    groups: groups.rows.map((row) => toGroupTotals(row, groupBy)),
    sessions: Number(counted.rows[0]?.sessions ?? 0),
  }
}

function groupingOf(groupBy: readonly CostGroup[]): number {
  const bits: Readonly<Partial<Record<CostGroup, number>>> = groupings
  return [...new Set(groupBy)].reduce((sum, group) => sum + (bits[group] ?? 0), 0)
}

function keyExpression(group: CostGroup): RawBuilder<SqlKey> {
  if (group === 'day') return dayOf('sums.starts_at')
  return sql.ref(tagOf(group) === undefined ? `sums.${group}` : 'sums.tag_value')
}

function conditionsOf({ tactic, state, tags = {} }: SessionFilter): RawBuilder<unknown> {
  const column = tactic?.includes('::') ? 'sums.root_tactic_id' : 'sums.root_tactic'
  const conditions = [
    ...(tactic === undefined ? [] : [sql`${sql.ref(column)} = ${toColumnText(tactic)}`]),
    ...(state === undefined ? [] : [sql`sums.state = ${state}`]),
    ...Object.values(tags).map((value) => sql`sums.tag_value = ${toColumnText(value)}`),
  ]
  return conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` and `)
}

/** What stands one after another, and may be nothing. */
function join(pieces: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return pieces.length === 0 ? sql`` : sql.join(pieces, sql` `)
}
