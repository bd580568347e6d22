import { type RawBuilder, sql } from 'kysely'
import { type CostSpan, hourMs } from './cost-spans.ts'
import {
  alike,
  countOnly,
  groupings,
  groupingsAll,
  type SpanDetail,
  spanDetails,
  sumColumns,
  ungrouped,
} from './cost-sum-schema.ts'
import { noTag, tagValue } from './cost-tags.ts'
import type { SumScope } from './sql-costs.ts'

/** Marks an hour as summed in some detail, and sums what its sessions cost. */
export async function sumSessionsOf(scope: SumScope, hour: CostSpan, detail: SpanDetail) {
  await markSpans(scope, [hour], detail)
  const { fromMs, toMs } = hour
  // SQLite takes the tables of a cross join in this order: the few sessions of an hour lead, and not the lines of all.
  const lines = sql`
    select sessions.id as unit, sessions.tactic as root_tactic, sessions.tactic_id as root_tactic_id, sessions.state,
      ${ownValue(scope)} as tag_value, 1 as sessions,
      cost_lines.tactic, cost_lines.tactic_id, cost_lines.agent, cost_lines.model,
      ${sql.join(sumColumns.map((column) => sql`${lineColumn(column)} as ${sql.ref(column)}`))}
    from sessions cross join cost_lines
    where cost_lines.session_id = sessions.id and sessions.tenant = ${scope.tenant}
      and sessions.started_at >= ${fromMs} and sessions.started_at < ${toMs}`
  const counts = sql`
    select tactic as root_tactic, tactic_id as root_tactic_id, state, ${ownValue(scope)} as tag_value, 1 as sessions
    from sessions where tenant = ${scope.tenant} and started_at >= ${fromMs} and started_at < ${toMs}`
  if (detail === spanDetails.values) {
    const shares = sql`select lines.*, row_number() over (partition by unit) as share from (${lines}) as lines`
    await insertValues(scope, hour, alike, shares, counts)
  } else if (detail === spanDetails.full) {
    await sql`
      insert into cost_sums (${columns})
      with ${alikeFrom(lines)}
      select ${spanColumns(scope, hour)}, ${sql.lit(alike)}, number,
        row_number() over (partition by number order by tactic_id, tactic, agent, model),
        ${roots}, sessions, tactic, tactic_id, agent, model, ${sumNames}
      from alike`.execute(scope.db)
    await insertCounts(scope, hour, counts)
  }
}

/** Marks a day as summed in some detail, and adds up its hours, all of which have been summed in this detail or in more. */
export async function sumHoursOf(scope: SumScope, day: CostSpan, detail: SpanDetail) {
  await markSpans(scope, [day], detail)
  const { fromMs, toMs } = day
  const hours = (grouping: number) => sql`
    from cost_sums where tenant = ${scope.tenant} and span_ms = ${hourMs} and tag_key = ${scope.tagKey}
      and starts_at >= ${fromMs} and starts_at < ${toMs} and grouping = ${grouping}`
  const counts = sql`select ${roots}, sessions ${hours(countOnly)}`
  if (detail === spanDetails.values) {
    const shares = sql`select tag_value, sessions, position as share, ${sumNames} ${hours(alike)}`
    await insertValues(scope, day, ungrouped, shares, counts)
  } else if (detail === spanDetails.full) {
    await insertGroupings(
      scope,
      day,
      sql`
        select cast(starts_at as text) || '/' || cast(number as text) as unit, ${roots},
          sessions, tactic, tactic_id, agent, model, ${sumNames} ${hours(alike)}`,
    )
    await insertCounts(scope, day, counts)
  }
}

/** Says in how much detail spans have been summed; of such without a session that is all there is to say. */
export async function markSpans({ db, tenant, tagKey }: SumScope, spans: readonly CostSpan[], detail: SpanDetail) {
  const rows = spans.map(({ spanMs, fromMs }) => sql`(${tenant}, ${spanMs}, ${fromMs}, ${tagKey}, ${detail})`)
  await sql`insert into cost_spans (tenant, span_ms, starts_at, tag_key, detail) values ${sql.join(rows)}`.execute(db)
}

async function insertGroupings(scope: SumScope, day: CostSpan, lines: RawBuilder<unknown>) {
  const keys = Object.entries(groupings).map(([column, bit]) => ({
    name: sql.ref(column),
    expression: sql`case when (chosen.grouping & ${sql.lit(bit)}) > 0 then ${sql.ref(column)} end`,
  }))
  await sql`
    insert into cost_sums (${columns})
    with ${alikeFrom(lines)},
    chosen (grouping) as (values ${sql.join(groupingsAll.map((grouping) => sql`(${sql.lit(grouping)})`))}),
    spread as (
      select chosen.grouping, ${roots}, sessions,
        ${sql.join(keys.map(({ name, expression }) => sql`${expression} as ${name}`))}, ${sumNames},
        row_number() over (
          partition by chosen.grouping, number, ${sql.join(keys.map(({ expression }) => expression))}
        ) as share
      from alike cross join chosen
    )
    select ${spanColumns(scope, day)}, grouping, row_number() over (partition by grouping), 1,
      ${roots}, sum(case when share = 1 then sessions else 0 end),
      tactic, tactic_id, agent, model, ${sumsOfNames}
    from spread
    group by grouping, ${roots}, tactic, tactic_id, agent, model`.execute(scope.db)
}

/**
 * @param shares Those of the same sessions have a `share` from 1.
 * @param counts The sessions, those too that have no share.
 */
async function insertValues(
  scope: SumScope,
  span: CostSpan,
  grouping: number,
  shares: RawBuilder<unknown>,
  counts: RawBuilder<unknown>,
) {
  await sql`
    insert into cost_sums (${columns})
    select ${spanColumns(scope, span)}, ${sql.lit(grouping)}, row_number() over (), 1, ${noRoots}, tag_value,
      sum(case when share = 1 then sessions else 0 end), null, null, null, null, ${sumsOfNames}
    from (${shares}) as shares group by tag_value`.execute(scope.db)
  await insertCounts(scope, span, sql`select ${noRoots}, tag_value, sessions from (${counts}) as counts`)
}

async function insertCounts(scope: SumScope, span: CostSpan, counts: RawBuilder<unknown>) {
  await sql`
    insert into cost_sums (${columns})
    select ${spanColumns(scope, span)}, ${sql.lit(countOnly)}, row_number() over (), 1,
      ${roots}, sum(sessions), null, null, null, null, ${sql.join(sumColumns.map(() => sql`0`))}
    from (${counts}) as counts group by ${roots}`.execute(scope.db)
}

/**
 * What units have shares of, in sum over those that are alike.
 *
 * All shares of a unit as one text, in which no two differ that are the same, tell which units are. Without a join: a database that knows
 * nothing yet of the rows would choose a way that takes seconds.
 *
 * @param lines The shares of units, each of which is one session or several that are alike.
 */
function alikeFrom(lines: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`lines as materialized (${lines}),
    described as (
      select lines.*, string_agg(${share}, ',') over (
        partition by unit order by ${share} rows between unbounded preceding and unbounded following
      ) as shares
      from lines
    ),
    summed as (
      select ${roots}, shares, sum(sessions) as sessions,
        tactic, tactic_id, agent, model, ${sumsOfNames}
      from described
      group by ${roots}, shares, tactic, tactic_id, agent, model
    ),
    alike as (
      select summed.*, dense_rank() over (order by ${roots}, shares) as number
      from summed
    )`
}

/** What a session has by itself, and each of its shares with it. */
const roots = sql`root_tactic, root_tactic_id, state, tag_value`
/** The same of sums that are of all of them. */
const noRoots = sql`'' as root_tactic, '' as root_tactic_id, '' as state`
const share = sql.join(
  Object.keys(groupings).map((column) => sql`cast(length(${sql.ref(column)}) as text) || ':' || ${sql.ref(column)}`),
  sql` || `,
)
const sumNames = sql.join(sumColumns.map((column) => sql.ref(column)))
const sumsOfNames = sql.join(sumColumns.map((column) => sql`sum(${sql.ref(column)}) as ${sql.ref(column)}`))
const columns = sql`tenant, span_ms, starts_at, tag_key, grouping, number, position, ${roots}, sessions,
  tactic, tactic_id, agent, model, ${sumNames}`

function spanColumns({ tenant, tagKey }: SumScope, { spanMs, fromMs }: CostSpan): RawBuilder<unknown> {
  return sql`cast(${tenant} as text), cast(${spanMs} as bigint), cast(${fromMs} as bigint), cast(${tagKey} as text)`
}

function ownValue({ tagKey }: SumScope): RawBuilder<unknown> {
  return tagKey === noTag ? sql`cast(null as text)` : tagValue(tagKey)
}

function lineColumn(column: (typeof sumColumns)[number]): RawBuilder<unknown> {
  const [, side, part] = /^(prompt|completion)_(micro_usd|pico_usd_rest)$/.exec(column) ?? []
  if (side === undefined) return sql.ref(`cost_lines.${column}`)
  const money = sql.ref(`cost_lines.${side}_pico_usd`)
  return part === 'micro_usd' ? sql`${money} / 1000000` : sql`${money} % 1000000`
}
