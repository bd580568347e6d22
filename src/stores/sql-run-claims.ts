import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { KeptRun, RunLease } from '../domain/run.ts'
import type { ClaimRequest, RunBeat } from '../domain/run-claim.ts'
import { fromColumnText } from './column-text.ts'
import { createFairTurns, type DueRun, type Lane, type TurnParts, type UnderWay } from './fair-turns.ts'
import { type RunDialect, type RunTransaction, readNow } from './run-dialect.ts'
import { toKeptRun } from './run-rows.ts'
import { type RunDatabase, type RunTable, runColumns } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'

/** Tenants, keys and priorities that are looked at together, beyond what anybody has. */
const lanesMax = 100_000

/** Who works on which run. */
export function createRunClaims(
  db: Kysely<RunDatabase>,
  dialect: RunDialect,
): Pick<RunTables, 'claim' | 'beat' | 'release'> {
  const choose = createFairTurns()
  return {
    claim: (request) =>
      db.transaction().execute(async (transaction) => {
        await dialect.takeTurns(transaction)
        const nowMs = await readNow(transaction, dialect)
        const orphans = await findOrphans(transaction, dialect, request, nowMs)
        const underWay = await findUnderWay(transaction)
        const room = request.concurrencyMax - underWay.reduce((sum, { count }) => sum + count, 0)
        const slots = Math.min(request.slots - orphans.length, room)
        const lanes = slots > 0 ? await findLanes(transaction, nowMs) : []
        const take = takeFrom(transaction, dialect, nowMs)
        const ids = [...orphans, ...(await choose({ lanes, underWay, slots, take }))]
        return ids.length === 0 ? [] : start(transaction, ids, request, nowMs)
      }),
    async beat(owner, leaseMs): Promise<readonly RunBeat[]> {
      if (dialect.isShared) await extendLeases(db, dialect, owner, leaseMs)
      const held = db.selectFrom('runs').select(['id', 'attempt', 'cancel_reason'])
      const rows = await held.where('owner', '=', owner).where('state', '=', 'running').execute()
      return rows.map(({ id, attempt, cancel_reason }) => ({
        runId: id,
        attempt: Number(attempt),
        cancelReason: cancel_reason === null ? null : fromColumnText(cancel_reason),
      }))
    },
    async release({ runId, attempt }: RunLease) {
      const { numUpdatedRows } = await db
        .updateTable('runs')
        .set({ state: 'queued', owner: null, lease_until: null })
        .where('id', '=', runId)
        .where('attempt', '=', attempt)
        .where('state', '=', 'running')
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
  }
}

/** Rows are locked by their ids, as whoever else locks several does: in another order two could wait for each other. */
async function extendLeases(db: Kysely<RunDatabase>, { nowMs }: RunDialect, owner: string, leaseMs: number) {
  const running = db.selectFrom('runs').select('id').where('owner', '=', owner).where('state', '=', 'running')
  await db
    .with('held', () => running.orderBy('id').forNoKeyUpdate())
    .updateTable('runs')
    .from('held')
    .set({ lease_until: sql<number>`${nowMs()} + ${leaseMs}` })
    .whereRef('runs.id', '=', 'held.id')
    .execute()
}

/**
 * Runs whose owner is gone. They count as under way already. What is found is locked until it is started, and what somebody else is
 * changing is passed over: it may be about to end, or its owner is back.
 */
async function findOrphans(
  transaction: RunTransaction,
  { isShared }: RunDialect,
  { owner, slots, takesOver }: ClaimRequest,
  nowMs: number,
): Promise<readonly string[]> {
  if (isShared && !takesOver) return []
  const held = transaction.selectFrom('runs').select('id').where('state', '=', 'running')
  const orphans = isShared
    ? held.where('lease_until', '<', nowMs).forUpdate().skipLocked()
    : held.where('owner', '!=', owner)
  return (await orphans.orderBy('started_at').limit(slots).execute()).map(({ id }) => id)
}

/** What is under way, over all processes. The state as a literal: so it is the index of such runs that is looked through. */
async function findUnderWay(transaction: RunTransaction): Promise<readonly UnderWay[]> {
  const running = transaction.selectFrom('runs').where(sql<boolean>`state = 'running'`)
  const counts = running.select(['tenant', 'key_id', sql<bigint | string>`count(*)`.as('count')])
  const rows = await counts.groupBy(['tenant', 'key_id']).execute()
  return rows.map(({ tenant, key_id, count }) => ({ tenant, keyId: key_id, count: Number(count) }))
}

type DueRow = Pick<Selectable<RunTable>, 'id' | 'run_at'>
type LaneRow = DueRow & {
  readonly lane_tenant: string
  readonly lane_key: string
  readonly lane_priority: Selectable<RunTable>['priority']
  readonly key_concurrency: Selectable<RunTable>['key_concurrency']
}

/** The first run of each lane in which one is due. It goes from lane to lane in the index, past the runs between. */
async function findLanes(transaction: RunTransaction, nowMs: number): Promise<readonly Lane[]> {
  // A comparison of three columns at once is one that SQLite looks up by the first of them alone.
  const next = (where: RawBuilder<unknown>) => sql`(select id from runs where state = 'queued' and ${where}
    order by tenant, key_id, priority, run_at, id limit 1)`
  const sameTenant = sql`tenant = lanes.lane_tenant`
  const { rows } = await sql<LaneRow>`
    with recursive lanes (lane_tenant, lane_key, lane_priority, run_at, id, key_concurrency) as (
      select tenant, key_id, priority, run_at, id, key_concurrency from runs where id = ${next(sql`true`)}
      union all
      select later.tenant, later.key_id, later.priority, later.run_at, later.id, later.key_concurrency
      from lanes cross join runs as later
      where later.id = coalesce(
        ${next(sql`${sameTenant} and key_id = lanes.lane_key and priority > lanes.lane_priority`)},
        ${next(sql`${sameTenant} and key_id > lanes.lane_key`)},
        ${next(sql`tenant > lanes.lane_tenant`)}
      )
    )
    select * from lanes where run_at <= ${nowMs} limit ${lanesMax}`.execute(transaction)
  return rows.map((row) => ({
    tenant: row.lane_tenant,
    keyId: row.lane_key,
    keyConcurrency: row.key_concurrency === null ? null : Number(row.key_concurrency),
    priority: Number(row.lane_priority),
    first: toDueRun(row),
  }))
}

function toDueRun({ id, run_at }: DueRow): DueRun {
  return { id, runAtMs: Number(run_at) }
}

/** What somebody else is changing is passed over: it may be about to be cancelled. */
function takeFrom(transaction: RunTransaction, { isShared }: RunDialect, nowMs: number): TurnParts['take'] {
  return async ({ tenant, keyId, priority }, count, after) => {
    const due = transaction
      .selectFrom('runs')
      .select(['id', 'run_at'])
      .where(sql<boolean>`state = 'queued'`)
      .where('tenant', '=', tenant)
      .where('key_id', '=', keyId)
      .where('priority', '=', priority)
      .where('run_at', '<=', nowMs)
      .$if(after !== undefined, (runs) => runs.where(sql<boolean>`(run_at, id) > (${after?.runAtMs}, ${after?.id})`))
    const next = (isShared ? due.forUpdate().skipLocked() : due).orderBy('run_at').orderBy('id').limit(count)
    return (await next.execute()).map(toDueRun)
  }
}

async function start(
  transaction: RunTransaction,
  ids: readonly string[],
  { owner, leaseMs }: ClaimRequest,
  nowMs: number,
): Promise<readonly KeptRun[]> {
  await transaction
    .updateTable('runs')
    .set({
      state: 'running',
      owner,
      lease_until: nowMs + leaseMs,
      attempt: sql<number>`attempt + 1`,
      started_at: sql<number>`coalesce(started_at, ${nowMs})`,
    })
    .where('id', 'in', ids)
    .execute()
  const rows = await transaction
    .selectFrom('runs')
    .innerJoin('run_payloads', 'run_payloads.run_id', 'runs.id')
    .select(runColumns.map((column) => `runs.${column}` as const))
    .select(['run_payloads.request', 'run_payloads.outcome'])
    .where('runs.id', 'in', ids)
    .execute()
  const runs = new Map(rows.map((row) => [row.id, toKeptRun(row)]))
  return ids.flatMap((id) => runs.get(id) ?? [])
}
