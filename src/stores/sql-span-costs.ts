import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { CostGroup, SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import { type CostSpan, dayMs } from './cost-spans.ts'
import { alike, countOnly, groupings, sumColumns } from './cost-sum-schema.ts'
import {
  type CostRow,
  dayOf,
  namedKeys,
  type PartialCosts,
  type SqlCount,
  type SqlKey,
  toGroupTotals,
} from './sql-cost-rows.ts'
import type { SessionDatabase } from './sql-schema.ts'

const sumNames = sql.join(sumColumns.map((column) => sql.ref(`sums.${column}`)))

/** Whether costs can be told from sums, which know no tags. */
export function canBeSummed({ tags = {} }: SessionFilter, groupBy: readonly CostGroup[]): boolean {
  return Object.keys(tags).length === 0 && !groupBy.some((group) => group.startsWith('tag.'))
}

/** Tells from the sums of hours or days what the sessions of its time cost. What has not been summed is not in it. */
export async function querySpanCosts(
  db: Kysely<SessionDatabase>,
  tenant: string,
  span: CostSpan,
  filter: SessionFilter,
  groupBy: readonly CostGroup[],
): Promise<PartialCosts> {
  const { spanMs, fromMs, toMs } = span
  const keys = namedKeys(groupBy, keyExpression)
  const selected = keys.map(({ expression, alias }) => sql`${expression} as ${sql.ref(alias)},`)
  const names = keys.map(({ alias }) => sql.ref(alias))
  // The spans lead, with what the key of the sums begins: so of these no more are looked at than are meant.
  const sumsOf = (grouping: number) => sql`cost_spans as spans cross join cost_sums as sums
    where spans.tenant = ${tenant} and spans.span_ms = ${spanMs}
      and spans.starts_at >= ${fromMs} and spans.starts_at < ${toMs}
      and sums.tenant = spans.tenant and sums.span_ms = spans.span_ms and sums.starts_at = spans.starts_at
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
  return group === 'day' ? dayOf('sums.starts_at') : sql.ref(`sums.${group}`)
}

function conditionsOf({ tactic, state }: SessionFilter): RawBuilder<unknown> {
  const column = tactic?.includes('::') ? 'sums.root_tactic_id' : 'sums.root_tactic'
  const conditions = [
    ...(tactic === undefined ? [] : [sql`${sql.ref(column)} = ${toColumnText(tactic)}`]),
    ...(state === undefined ? [] : [sql`sums.state = ${state}`]),
  ]
  return conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` and `)
}

/** What stands one after another, and may be nothing. */
function join(pieces: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return pieces.length === 0 ? sql`` : sql.join(pieces, sql` `)
}
