import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { CostGroup, CostReport, SessionFilter } from '../domain/session-store.ts'
import { advisoryLocks } from './advisory-locks.ts'
import { mergeCosts } from './cost-groups.ts'
import { type CostPart, type CostSpan, gapsOf, partCosts, spansOf, type TimeRange } from './cost-spans.ts'
import { type CostSumDatabase, type SpanDetail, spanDetails } from './cost-sum-schema.ts'
import { detailFor, noTag, summedTag } from './cost-tags.ts'
import type { PartialCosts } from './sql-cost-rows.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { querySessionCosts } from './sql-session-costs.ts'
import { querySpanCosts } from './sql-span-costs.ts'

/** Tags of which one hour or day has sums. What keys there are is up to clients, who may ask for any number of them: all others are read. */
const tagsMax = 32

/** What databases do not have alike, as far as the sums of costs are concerned. */
export interface CostDialect {
  /** What tells the time, in ms since 1970. */
  nowMs(): RawBuilder<number>
  /** Has those who sum take turns, and sees to it that they see all sessions of the past that were saved before. */
  takeTurns(transaction: Transaction<SessionDatabase>): Promise<void>
}

/** The sessions of one tenant. */
export interface CostScope {
  readonly db: Kysely<SessionDatabase>
  readonly tenant: string
  readonly dialect: CostDialect
}

/** Their sums that know a tag, by its key, or no tag. */
export interface SumScope extends CostScope {
  readonly tagKey: string
}

/** A database of one process at a time, whose transactions take turns by themselves. */
export function soleCostDialect(now: () => number): CostDialect {
  return { nowMs: () => sql`${now()}`, takeTurns: async () => {} }
}

/** A PostgreSQL, whose clock all processes have in common. */
export function sharedCostDialect(nowMs: CostDialect['nowMs']): CostDialect {
  return {
    nowMs,
    takeTurns: async (transaction) =>
      void (await sql`select pg_advisory_xact_lock(${advisoryLocks.costs})`.execute(transaction)),
  }
}

/**
 * Tells what sessions cost, in groups: whole hours and days from their sums where there are any, all else from the sessions themselves. It
 * is the same to the last pico-USD, whatever has been summed so far.
 */
export async function queryCosts(
  scope: CostScope,
  filter: SessionFilter,
  groupBy: readonly CostGroup[],
): Promise<CostReport> {
  const { db, tenant } = scope
  const tagKey = summedTag(filter, groupBy)
  if (tagKey === undefined) return mergeCosts([await querySessionCosts(db, tenant, filter, groupBy)])
  // As of one moment: what is saved meanwhile may drop sums that have not been read yet.
  const reading = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return reading.execute(async (transaction) => {
    const now = { ...scope, tagKey, db: transaction }
    const costs: PartialCosts[] = []
    const read = async ({ fromMs, toMs }: TimeRange) => {
      const range = {
        ...(Number.isFinite(fromMs) ? { startedAfterMs: fromMs } : {}),
        ...(Number.isFinite(toMs) ? { startedBeforeMs: toMs } : {}),
      }
      costs.push(await querySessionCosts(transaction, tenant, { ...filter, ...range }, groupBy))
    }
    for (const part of await partsOf(now, filter)) {
      if (part.spanMs === null) {
        await read(part)
        continue
      }
      const starts = await summedOf(now, part, detailFor(filter, groupBy))
      if (starts.size > 0) costs.push(await querySpanCosts(now, part.spanMs, starts, filter, groupBy))
      for (const gap of gapsOf(part, starts)) await read(gap)
    }
    return mergeCosts(costs)
  })
}

/** The spans of a filter's time that can be summed and have not been, one by one and in their order. */
export async function missingSpans(scope: SumScope, filter: SessionFilter): Promise<readonly CostSpan[]> {
  const missing: CostSpan[] = []
  for (const part of await partsOf(scope, filter)) {
    if (part.spanMs !== null) missing.push(...(await unsettledOf(scope, part)))
  }
  return missing
}

/** Empty when there are no sessions at all. */
async function partsOf(
  { db, tenant, dialect }: CostScope,
  { startedAfterMs = -Infinity, startedBeforeMs = Infinity }: SessionFilter,
): Promise<readonly CostPart[]> {
  const { rows } = await sql<{ readonly first: SqlTime | null; readonly now: SqlTime }>`
    select (select min(started_at) from sessions where tenant = ${tenant}) as first, ${dialect.nowMs()} as now`.execute(
    db,
  )
  const { first = null, now = 0 } = rows[0] ?? {}
  if (first === null) return []
  return partCosts({ fromMs: startedAfterMs, toMs: startedBeforeMs }, Number(first), Number(now))
}

type SqlTime = bigint | number | string

/** The starts of the spans that have been summed in such detail, or in more. */
export async function summedOf(
  scope: SumScope,
  span: CostSpan,
  detail: SpanDetail = spanDetails.values,
): Promise<ReadonlySet<number>> {
  const marks = marksOf(scope, span).where('tag_key', '=', scope.tagKey).where('detail', '>=', detail)
  return startsIn(await marks.select('starts_at').execute())
}

/** The spans that can be summed and have not been, in their order: neither those that are better read, nor those with sums of many other tags. */
export async function unsettledOf(scope: SumScope, span: CostSpan): Promise<readonly CostSpan[]> {
  const { tagKey } = scope
  const own = startsIn(await marksOf(scope, span).where('tag_key', '=', tagKey).select('starts_at').execute())
  const unmarked = spansOf(span).filter(({ fromMs }) => !own.has(fromMs))
  if (tagKey === noTag || unmarked.length === 0) return unmarked
  const full = marksOf(scope, span)
    .where('tag_key', '<>', noTag)
    .groupBy('starts_at')
    .having(sql<number>`count(*)`, '>=', tagsMax)
  const others = startsIn(await full.select('starts_at').execute())
  return unmarked.filter(({ fromMs }) => !others.has(fromMs))
}

function marksOf({ db, tenant }: SumScope, { spanMs, fromMs, toMs }: CostSpan) {
  return db
    .withTables<CostSumDatabase>()
    .selectFrom('cost_spans')
    .where('tenant', '=', tenant)
    .where('span_ms', '=', spanMs)
    .where('starts_at', '>=', fromMs)
    .where('starts_at', '<', toMs)
}

function startsIn(rows: readonly { readonly starts_at: SqlTime }[]): ReadonlySet<number> {
  return new Set(rows.map(({ starts_at }) => Number(starts_at)))
}
