import { type RawBuilder, sql } from 'kysely'
import type { SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import { type CostSpan, hourMs } from './cost-spans.ts'
import { countOnly, type SpanDetail, spanDetails } from './cost-sum-schema.ts'
import { noTag, tagValue } from './cost-tags.ts'
import type { SqlCount } from './sql-cost-rows.ts'
import type { SumScope } from './sql-costs.ts'

/** With more values than these in an hour or a day, the full sums of a tag would be more rows than what its sessions have spent. */
const fullMax = 32
/** With more than these, a row for each of them would be no fewer than the sessions of a busy day. */
const valuesMax = 10_000
/** So many sessions of one value of a tag are found by their index, and read in some tens of milliseconds. */
const fewSessions = 2_000

/** Whether a report is of a tag so rare that to sum for its sake what all sessions cost would be a waste. */
export async function isOfFewSessions(
  { db, tenant }: SumScope,
  { tags = {}, startedAfterMs, startedBeforeMs }: SessionFilter,
): Promise<boolean> {
  const [tag] = Object.entries(tags)
  if (tag === undefined) return false
  const [key, value] = tag
  const tagged = await db
    .selectFrom('session_tags')
    .select('session_id')
    .where('tenant', '=', tenant)
    .where('key', '=', toColumnText(key))
    .where('value', '=', toColumnText(value))
    .$if(startedAfterMs !== undefined, (rows) => rows.where('started_at', '>=', startedAfterMs ?? 0))
    .$if(startedBeforeMs !== undefined, (rows) => rows.where('started_at', '<', startedBeforeMs ?? 0))
    .offset(fewSessions)
    .limit(1)
    .executeTakeFirst()
  return tagged === undefined
}

/** In how much detail the sessions of an hour are worth to be summed. */
export async function detailOfHour(scope: SumScope, { fromMs, toMs }: CostSpan): Promise<SpanDetail> {
  const { tenant, tagKey } = scope
  return detailOf(
    scope,
    sql`select ${tagValue(tagKey)} as tag_value from sessions
      where tenant = ${tenant} and started_at >= ${fromMs} and started_at < ${toMs}`,
  )
}

/** The same of a day whose hours have been summed: none of them has more values than all, so it may have full sums only if all have. */
export async function detailOfDay(scope: SumScope, { fromMs, toMs }: CostSpan): Promise<SpanDetail> {
  const { tenant, tagKey } = scope
  return detailOf(
    scope,
    sql`select tag_value from cost_sums where tenant = ${tenant} and span_ms = ${hourMs}
      and starts_at >= ${fromMs} and starts_at < ${toMs} and tag_key = ${tagKey} and grouping = ${countOnly}`,
  )
}

async function detailOf({ db, tagKey }: SumScope, values: RawBuilder<unknown>): Promise<SpanDetail> {
  if (tagKey === noTag) return spanDetails.full
  const { rows } = await sql<{ readonly found: SqlCount }>`
    select count(distinct tag_value) as found from (${values}) as valued`.execute(db)
  const found = Number(rows[0]?.found ?? 0)
  if (found <= fullMax) return spanDetails.full
  return found <= valuesMax ? spanDetails.values : spanDetails.none
}
