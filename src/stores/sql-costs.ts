import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { CostGroup, CostReport, SessionFilter } from '../domain/session-store.ts'
import { advisoryLocks } from './advisory-locks.ts'
import { mergeCosts } from './cost-groups.ts'
import { type CostPart, type CostSpan, gapsOf, partCosts, startsOf } from './cost-spans.ts'
import type { CostSumDatabase } from './cost-sum-schema.ts'
import type { PartialCosts } from './sql-cost-rows.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { querySessionCosts } from './sql-session-costs.ts'
import { canBeSummed, querySpanCosts } from './sql-span-costs.ts'

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
  if (!canBeSummed(filter, groupBy)) return mergeCosts([await querySessionCosts(db, tenant, filter, groupBy)])
  // As of one moment: what is saved meanwhile may drop sums that have not been read yet.
  const reading = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return reading.execute(async (transaction) => {
    const now = { ...scope, db: transaction }
    const costs: PartialCosts[] = []
    for (const part of await partsOf(now, filter)) {
      if (part.spanMs !== null) costs.push(await querySpanCosts(transaction, tenant, part, filter, groupBy))
      const unsummed = part.spanMs === null ? [part] : gapsOf(part, await summedOf(now, part))
      for (const { fromMs, toMs } of unsummed) {
        const range = {
          ...(Number.isFinite(fromMs) ? { startedAfterMs: fromMs } : {}),
          ...(Number.isFinite(toMs) ? { startedBeforeMs: toMs } : {}),
        }
        costs.push(await querySessionCosts(transaction, tenant, { ...filter, ...range }, groupBy))
      }
    }
    return mergeCosts(costs)
  })
}

/** The spans of a filter's time that have not been summed, one by one and in their order. */
export async function missingSpans(scope: CostScope, filter: SessionFilter): Promise<readonly CostSpan[]> {
  const missing: CostSpan[] = []
  for (const part of await partsOf(scope, filter)) {
    if (part.spanMs === null) continue
    const { spanMs } = part
    const summed = await summedOf(scope, part)
    const starts = startsOf(part).filter((start) => !summed.has(start))
    for (const fromMs of starts) missing.push({ spanMs, fromMs, toMs: fromMs + spanMs })
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

/** The starts of the spans that have been summed. */
export async function summedOf(
  { db, tenant }: CostScope,
  { spanMs, fromMs, toMs }: CostSpan,
): Promise<ReadonlySet<number>> {
  const rows = await db
    .withTables<CostSumDatabase>()
    .selectFrom('cost_spans')
    .select('starts_at')
    .where('tenant', '=', tenant)
    .where('span_ms', '=', spanMs)
    .where('starts_at', '>=', fromMs)
    .where('starts_at', '<', toMs)
    .execute()
  return new Set(rows.map(({ starts_at }) => Number(starts_at)))
}
