import { type Kysely, sql } from 'kysely'
import { noCost } from '../domain/cost.ts'
import { activeRunStates, isEnded, type RunKey } from '../domain/run.ts'
import type { CancelAnswer, DeleteAnswer, ResumeAnswer, Submission } from '../domain/run-store.ts'
import type { ErrorRecord } from '../domain/session.ts'
import { toColumnText } from './column-text.ts'
import { forgetTasks } from './forget-texts.ts'
import { nextSeqs } from './next-seqs.ts'
import { type RunDialect, type RunTransaction, readNow } from './run-dialect.ts'
import { toBatchRow, toEventRow, toKeyColumns, toRunRow, toRunTagRows } from './run-rows.ts'
import type { RunDatabase } from './run-schema.ts'
import type { CancelledRuns, RunTables } from './run-tables.ts'
import { inChunks } from './sql-run-writes.ts'
import { addDeliveries } from './webhook-outbox.ts'

/** Removes the session of a run within a transaction. */
export type DeleteSession = (id: string, transaction: RunTransaction) => Promise<void>

/** What somebody wants of a run: that there is one, that it ends, goes on, or is forgotten. */
export function createRunChanges(
  db: Kysely<RunDatabase>,
  dialect: RunDialect,
  deleteSession: DeleteSession,
): Pick<RunTables, 'submit' | 'delete' | 'cancel' | 'resume' | 'cancelBatch'> {
  return {
    submit: (submission) => db.transaction().execute((transaction) => submit(transaction, submission)),
    delete: (tenant, id) =>
      db.transaction().execute(async (transaction): Promise<DeleteAnswer> => {
        const run = await findRun(transaction, tenant, id, dialect)
        if (run === undefined) return 'unknown'
        if (!isEnded(run)) return 'active'
        await transaction.deleteFrom('runs').where('id', '=', id).execute()
        await deleteSession(id, transaction)
        return 'deleted'
      }),
    cancel: (tenant, id, reason) =>
      db.transaction().execute(async (transaction): Promise<CancelAnswer> => {
        const run = await findRun(transaction, tenant, id, dialect)
        if (run === undefined) return 'unknown'
        if (isEnded(run)) return 'ended'
        if (run.state === 'queued' && run.attempt === 0) {
          await cancelQueued(transaction, [id], reason, dialect)
          return 'cancelled'
        }
        await askToCancel(transaction, [id], reason, dialect)
        return 'asked'
      }),
    resume: (tenant, id, key) =>
      db.transaction().execute(async (transaction): Promise<ResumeAnswer> => {
        const run = await findRun(transaction, tenant, id, dialect)
        if (run === undefined) return 'unknown'
        if (!isEnded(run)) return 'active'
        if (run.state === 'success') return 'succeeded'
        const texts = transaction.selectFrom('run_payloads').select('run_id').where('run_id', '=', id)
        if ((await texts.executeTakeFirst()) === undefined) return 'expired'
        await queueAgain(transaction, id, key ?? null, await readNow(transaction, dialect))
        await deleteSession(id, transaction)
        return 'resumed'
      }),
    cancelBatch: (tenant, id, reason) =>
      db.transaction().execute(async (transaction) => {
        const own = transaction.selectFrom('run_batches').select('id').where('id', '=', id).where('tenant', '=', tenant)
        const batch = await own.executeTakeFirst()
        if (batch === undefined) return undefined
        return cancelActive(transaction, ['batch_id', id], reason, dialect)
      }),
  }
}

export async function submit(transaction: RunTransaction, { runs, batch }: Submission): Promise<void> {
  if (batch !== undefined) {
    const insert = transaction.insertInto('run_batches').values(toBatchRow(batch))
    const { numInsertedOrUpdatedRows } = await insert
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow()
    // It was submitted before, and its runs are there under ids of their own.
    if (numInsertedOrUpdatedRows !== 1n) return
  }
  for (const chunk of inChunks(runs)) {
    // Of two who submit the same at once, the second one waits here for the first, and adds nothing.
    const inserted = await transaction
      .insertInto('runs')
      .values(chunk.map(toRunRow))
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .execute()
    const addedIds = new Set(inserted.map(({ id }) => id))
    const added = chunk.filter(({ id }) => addedIds.has(id))
    if (added.length === 0) continue
    const payloads = added.map(({ id, request }) => ({ run_id: id, request: JSON.stringify(request), outcome: null }))
    await transaction.insertInto('run_payloads').values(payloads).execute()
    for (const tags of inChunks(added.flatMap(toRunTagRows))) {
      await transaction
        .insertInto('run_tags')
        .values([...tags])
        .execute()
    }
  }
}

/** Cancels the runs of a batch or of a schedule that have not ended. */
export async function cancelActive(
  transaction: RunTransaction,
  [column, name]: readonly ['batch_id' | 'schedule', string],
  reason: string,
  dialect: RunDialect,
): Promise<CancelledRuns> {
  const active = transaction
    .selectFrom('runs')
    .select(['id', 'state', 'attempt'])
    .where(column, '=', name)
    .where('state', 'in', activeRunStates)
  const rows = await (dialect.isShared ? active.orderBy('id').forUpdate() : active).execute()
  const isUntouched = (row: (typeof rows)[number]) => row.state === 'queued' && Number(row.attempt) === 0
  const cancelled = rows.filter(isUntouched).map((row) => row.id)
  const asked = rows.filter((row) => !isUntouched(row)).map((row) => row.id)
  for (const ids of inChunks(cancelled)) await cancelQueued(transaction, ids, reason, dialect)
  for (const ids of inChunks(asked)) await askToCancel(transaction, ids, reason, dialect)
  return { cancelled, asked: asked.length }
}

/** Nobody else changes it until the end of the transaction. */
async function findRun(transaction: RunTransaction, tenant: string, id: string, { isShared }: RunDialect) {
  const run = transaction
    .selectFrom('runs')
    .select(['state', 'attempt'])
    .where('id', '=', id)
    .where('tenant', '=', tenant)
  const row = await (isShared ? run.forUpdate() : run).executeTakeFirst()
  return row === undefined ? undefined : { state: row.state, attempt: Number(row.attempt) }
}

/** Runs that were never started have nothing but an end. */
async function cancelQueued(transaction: RunTransaction, ids: readonly string[], reason: string, dialect: RunDialect) {
  const error: ErrorRecord = { code: 'cancelled', message: `The run was cancelled: ${reason}` }
  const endedAtMs = await readNow(transaction, dialect)
  const cancelled = await transaction
    .updateTable('runs')
    .set({ state: 'cancelled', ended_at: endedAtMs, cancel_reason: toColumnText(reason) })
    .where('id', 'in', ids)
    .returning(['id', 'webhook'])
    .execute()
  await transaction
    .updateTable('run_payloads')
    .set({ outcome: JSON.stringify({ ok: false, error }) })
    .where('run_id', 'in', ids)
    .execute()
  await forgetTasks(transaction, ids, dialect)
  const seqs = await nextSeqs(transaction, ids)
  const ends = ids.map((id) => toEventRow(id, { seq: seqs(id), event: { type: 'error', error, cost: noCost } }))
  await transaction.insertInto('run_events').values(ends).execute()
  const told = cancelled.flatMap(({ id, webhook }) => (webhook === null ? [] : [id]))
  await addDeliveries(transaction, told, dialect)
}

/** Whoever works on it hears of it; whoever starts it next ends it, with what it has cost so far. */
async function askToCancel(transaction: RunTransaction, ids: readonly string[], reason: string, { nowMs }: RunDialect) {
  await transaction
    .updateTable('runs')
    .set({ cancel_reason: sql<string>`coalesce(cancel_reason, ${toColumnText(reason)})` })
    .where('id', 'in', ids)
    .execute()
  const queued = transaction.updateTable('runs').set({ run_at: nowMs() }).where('id', 'in', ids)
  await queued.where('state', '=', 'queued').execute()
}

async function queueAgain(transaction: RunTransaction, id: string, key: RunKey | null, nowMs: number) {
  await transaction
    .updateTable('runs')
    .set({
      ...toKeyColumns(key),
      state: 'queued',
      run_at: nowMs,
      started_at: null,
      ended_at: null,
      owner: null,
      cancel_reason: null,
    })
    .where('id', '=', id)
    .execute()
  await transaction.updateTable('run_payloads').set({ outcome: null }).where('run_id', '=', id).execute()
  // Events that are gone had numbers, too, far fewer than milliseconds have passed since: no reader may miss what comes now.
  const seq = (await nextSeqs(transaction, [id]))(id, nowMs)
  await transaction.deleteFrom('run_events').where('run_id', '=', id).where('type', 'in', ['result', 'error']).execute()
  await transaction
    .insertInto('run_events')
    .values(toEventRow(id, { seq, event: { type: 'run.resumed' } }))
    .execute()
  await transaction
    .updateTable('run_journal')
    .set({ state: 'spent' })
    .where('run_id', '=', id)
    .where('state', '=', 'failed')
    .execute()
}
