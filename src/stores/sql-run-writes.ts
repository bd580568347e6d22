import type { Kysely } from 'kysely'
import type { JournalEntry } from '../domain/journal.ts'
import { endedRunStates, type RunLease, type StoredRunEvent } from '../domain/run.ts'
import { forgetTexts } from './forget-texts.ts'
import type { RunDialect, RunTransaction } from './run-dialect.ts'
import { toEventRow } from './run-rows.ts'
import type { RunDatabase } from './run-schema.ts'
import type { LeasedWrite, RunEndRows, RunTables } from './run-tables.ts'
import { type SessionRows, toCostColumns } from './session-rows.ts'
import { addDeliveries } from './webhook-outbox.ts'

/** Rows of one statement: five columns each, well below the parameters that it may have. */
const rowsPerStatement = 100

/** Writes the rows of a session within a transaction. */
export type WriteSession = (rows: SessionRows, transaction: RunTransaction) => Promise<void>

/** What is written while a run is under way, and at its end. */
export function createRunWrites(
  db: Kysely<RunDatabase>,
  dialect: RunDialect,
  writeSession: WriteSession,
): Pick<RunTables, 'writeAll' | 'finish'> {
  return {
    writeAll: (writes) =>
      db.transaction().execute(async (transaction) => {
        const underWay = await attemptsUnderWay(transaction, dialect, writes)
        const isFenced = ({ lease }: LeasedWrite) => underWay.get(lease.runId) !== lease.attempt
        const allowed = writes.filter((write) => !isFenced(write))
        await writeJournal(
          transaction,
          allowed.flatMap(({ lease, journal = [] }) => journal.map((entry) => ({ ...entry, run_id: lease.runId }))),
        )
        await writeEvents(
          transaction,
          allowed.flatMap(({ lease, events = [] }) => events.map((event) => ({ runId: lease.runId, event }))),
        )
        return writes.flatMap((write, place) => (isFenced(write) ? [place] : []))
      }),
    finish: (lease, end) =>
      db.transaction().execute(async (transaction) => {
        const ended = await endRun(transaction, lease, end)
        if (ended === undefined) return wasEnded(transaction, lease)
        const { session, rows, event, journal, content = 'full' } = end
        const writeEnd = () => writePayload(transaction, lease.runId, end)
        await (content === 'full' ? writeEnd() : dialect.erasing(transaction, writeEnd))
        if (ended.webhook !== null) await addDeliveries(transaction, [lease.runId], dialect)
        if (rows !== null) await writeSession(rows, transaction)
        await writeEvents(transaction, [{ runId: lease.runId, event }])
        if (session.state !== 'success' && content !== 'none') {
          await writeJournal(
            transaction,
            journal.map((entry) => ({ ...entry, run_id: lease.runId })),
          )
        }
        return true
      }),
  }
}

/** The attempts that are under way of the runs that are written to. Until the end of the transaction nobody takes them over. */
async function attemptsUnderWay(
  transaction: RunTransaction,
  { isShared }: RunDialect,
  writes: readonly LeasedWrite[],
): Promise<ReadonlyMap<string, number>> {
  const ids = [...new Set(writes.map(({ lease }) => lease.runId))].sort()
  const runs = transaction.selectFrom('runs').select(['id', 'attempt']).where('id', 'in', ids)
  const underWay = runs.where('state', '=', 'running').orderBy('id')
  const rows = await (isShared ? underWay.forShare() : underWay).execute()
  return new Map(rows.map(({ id, attempt }) => [id, Number(attempt)]))
}

/** Undefined: the attempt is not under way. */
async function endRun(transaction: RunTransaction, { runId, attempt }: RunLease, end: RunEndRows) {
  const { session, llmCalls } = end
  return transaction
    .updateTable('runs')
    .set({
      state: session.state,
      ended_at: session.endedAtMs,
      lease_until: null,
      llm_calls: llmCalls,
      ...toCostColumns(session.cost),
    })
    .where('id', '=', runId)
    .where('attempt', '=', attempt)
    .where('state', '=', 'running')
    .returning('webhook')
    .executeTakeFirst()
}

/** What the run came to, and what is left of what it was. */
async function writePayload(transaction: RunTransaction, runId: string, end: RunEndRows): Promise<void> {
  const { session, request, content = 'full' } = end
  const { result, error } = session
  const outcome = end.outcome ?? (error === null ? { ok: true, result: result ?? null } : { ok: false, error })
  const left = request === undefined ? {} : { request: JSON.stringify(request) }
  const payload = { outcome: JSON.stringify(outcome), ...left }
  await transaction.updateTable('run_payloads').set(payload).where('run_id', '=', runId).execute()
  await forgetTexts(transaction, runId, content, session.state)
}

/** Of a commit nobody may know whether it arrived. Whoever says it again is told that it did. */
async function wasEnded(transaction: RunTransaction, { runId, attempt }: RunLease): Promise<boolean> {
  const run = transaction.selectFrom('runs').select(['attempt', 'state']).where('id', '=', runId)
  const row = await run.executeTakeFirst()
  return row !== undefined && Number(row.attempt) === attempt && endedRunStates.has(row.state)
}

async function writeJournal(
  transaction: RunTransaction,
  entries: readonly (JournalEntry & { readonly run_id: string })[],
): Promise<void> {
  // Of entries with one key the last counts: a statement cannot write a row twice.
  const rows = [...new Map(entries.map((entry) => [`${entry.run_id} ${entry.key}`, entry])).values()]
  for (const chunk of inChunks(rows)) {
    await transaction
      .insertInto('run_journal')
      .values(chunk.map(({ run_id, key, kind, state, record }) => ({ run_id, key, kind, state, record })))
      .onConflict((conflict) =>
        conflict.columns(['run_id', 'key']).doUpdateSet((row) => ({
          state: row.ref('excluded.state'),
          record: row.ref('excluded.record'),
        })),
      )
      .execute()
  }
}

async function writeEvents(
  transaction: RunTransaction,
  events: readonly { readonly runId: string; readonly event: StoredRunEvent }[],
): Promise<void> {
  for (const chunk of inChunks(events)) {
    await transaction
      .insertInto('run_events')
      .values(chunk.map(({ runId, event }) => toEventRow(runId, event)))
      .onConflict((conflict) => conflict.columns(['run_id', 'seq']).doNothing())
      .execute()
  }
}

export function inChunks<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / rowsPerStatement)
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * rowsPerStatement, (index + 1) * rowsPerStatement),
  )
}
