import { type Kysely, sql } from 'kysely'
import type { KeptRun, RunLease } from '../domain/run.ts'
import type { ClaimRequest, RunBeat } from '../domain/run-store.ts'
import { fromColumnText } from './column-text.ts'
import { type RunDialect, type RunTransaction, readNow } from './run-dialect.ts'
import { toKeptRun } from './run-rows.ts'
import { type RunDatabase, runColumns } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'

/** Who works on which run. */
export function createRunClaims(
  db: Kysely<RunDatabase>,
  dialect: RunDialect,
): Pick<RunTables, 'claim' | 'beat' | 'release'> {
  return {
    claim: (request) =>
      db.transaction().execute(async (transaction) => {
        await dialect.takeTurns(transaction)
        const nowMs = await readNow(transaction, dialect)
        const orphans = await findOrphans(transaction, dialect, request, nowMs)
        const room = request.concurrencyMax - (await countRunning(transaction))
        const slots = Math.min(request.slots - orphans.length, room)
        const due = slots > 0 ? await findDue(transaction, dialect, nowMs, slots) : []
        const ids = [...orphans, ...due]
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

async function countRunning(transaction: RunTransaction): Promise<number> {
  const running = transaction.selectFrom('runs').where('state', '=', 'running')
  const { count } = await running.select(sql<bigint | string>`count(*)`.as('count')).executeTakeFirstOrThrow()
  return Number(count)
}

async function findDue(
  transaction: RunTransaction,
  { isShared }: RunDialect,
  nowMs: number,
  limit: number,
): Promise<readonly string[]> {
  const queued = transaction.selectFrom('runs').select('id').where('state', '=', 'queued').where('run_at', '<=', nowMs)
  const due = isShared ? queued.forUpdate().skipLocked() : queued
  const rows = await due.orderBy('priority', 'desc').orderBy('run_at').orderBy('id').limit(limit).execute()
  return rows.map(({ id }) => id)
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
