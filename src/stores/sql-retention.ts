import { type Kysely, sql } from 'kysely'
import { type CleaningStep, firstIdOf, type RetentionPart } from '../domain/retention.ts'
import { endedRunStates } from '../domain/run.ts'
import { deleteSessions } from './delete-sessions.ts'
import type { RetentionTables } from './retention-tables.ts'
import type { RunDialect, RunTransaction } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { withSessions } from './with-sessions.ts'

/** Rows that go with a run, more or less: a step is about so many fewer runs. */
const rowsPerRun = 10

/**
 * Removes what is old from any database that kysely speaks to. Candidates are ranges of primary keys, which are read in their order: of a
 * table of millions no step sees more than its rows, and what is to be kept among them is passed over once.
 */
export function createSqlRetention(db: Kysely<RunDatabase & SessionDatabase>, dialect: RunDialect): RetentionTables {
  const runs = db as unknown as Kysely<RunDatabase>
  return {
    clean: (step) =>
      runs.transaction().execute(async (transaction) => {
        if (!(await dialect.takesCleaning(transaction))) return 'busy'
        const { part, afterId, rowsMax } = step
        const limit = isAboutRuns(part) ? Math.ceil(rowsMax / rowsPerRun) : rowsMax
        const candidates = await findCandidates(transaction, step, limit)
        const { ids, removed } = await cleanPart(transaction, step, candidates, dialect)
        // Something is left of them: the next step finds them again.
        if (ids === undefined) return { ids: [], removed, nextId: afterId }
        return { ids, removed, nextId: candidates.length < limit ? null : (candidates.at(-1) ?? null) }
      }),
    withoutRuns: (ids) => withoutRuns(runs, ids),
  }
}

function isAboutRuns(part: RetentionPart): part is 'events' | 'run-texts' | 'runs' {
  return part === 'events' || part === 'run-texts' || part === 'runs'
}

/** The oldest ids of a part after the one where the step goes on. */
async function findCandidates(
  transaction: RunTransaction,
  { part, beforeMs, afterId }: CleaningStep,
  limit: number,
): Promise<readonly string[]> {
  const endId = firstIdOf(beforeMs)
  if (part === 'events') return findRunsWithEvents(transaction, afterId, endId, limit)
  const [table, column] = keys[part]
  const { rows } = await sql<{ readonly id: string }>`
    select ${sql.ref(column)} as id from ${sql.table(table)}
    where ${sql.ref(column)} > ${afterId} and ${sql.ref(column)} < ${endId}
    order by ${sql.ref(column)} limit ${limit}`.execute(transaction)
  return rows.map(({ id }) => id)
}

const keys = {
  'run-texts': ['run_payloads', 'run_id'],
  'session-texts': ['session_payloads', 'session_id'],
  runs: ['runs', 'id'],
  sessions: ['sessions', 'id'],
  batches: ['run_batches', 'id'],
} as const

/** From one run to the next, however many events each of them has. */
async function findRunsWithEvents(
  transaction: RunTransaction,
  afterId: string,
  endId: string,
  limit: number,
): Promise<readonly string[]> {
  const next = (after: ReturnType<typeof sql>) =>
    sql`(select min(run_id) from run_events where run_id > ${after} and run_id < ${endId})`
  const { rows } = await sql<{ readonly id: string }>`
    with recursive heads (id, place) as (
      select ${next(sql`${afterId}`)}, 1
      union all
      select ${next(sql`heads.id`)}, place + 1 from heads where heads.id is not null and place < ${limit}
    )
    select id from heads where id is not null order by id`.execute(transaction)
  return rows.map(({ id }) => id)
}

interface Cleaned {
  /** Undefined: something is left of them, for they had more rows than a step may remove. */
  readonly ids: readonly string[] | undefined
  readonly removed: number
}

async function cleanPart(
  transaction: RunTransaction,
  step: CleaningStep,
  candidates: readonly string[],
  dialect: RunDialect,
): Promise<Cleaned> {
  const { part } = step
  if (candidates.length === 0) return { ids: [], removed: 0 }
  if (isAboutRuns(part)) return cleanRuns(transaction, { ...step, part }, candidates, dialect)
  const ids = part === 'batches' ? candidates : await withoutRuns(transaction, candidates)
  if (part === 'session-texts') await deleteSessionTexts(transaction, ids)
  if (part === 'sessions') await deleteSessions(withSessions(transaction), ids)
  const gone = part === 'batches' ? await deleteEmptyBatches(transaction, ids) : ids
  return { ids: gone, removed: gone.length }
}

async function cleanRuns(
  transaction: RunTransaction,
  { part, beforeMs, rowsMax }: CleaningStep & { readonly part: 'events' | 'run-texts' | 'runs' },
  candidates: readonly string[],
  dialect: RunDialect,
): Promise<Cleaned> {
  const ids = await runsEnded(transaction, candidates, beforeMs, dialect)
  if (ids.length === 0) return { ids, removed: 0 }
  const events = await deleteSome(transaction, 'run_events', 'seq', ids, rowsMax)
  const areEventsGone = events < rowsMax
  if (part === 'events') return { ids: areEventsGone ? ids : undefined, removed: events }
  if (!areEventsGone) return { ids: undefined, removed: 0 }
  const entries = await deleteSome(transaction, 'run_journal', 'key', ids, rowsMax)
  if (entries === rowsMax) return { ids: undefined, removed: 0 }
  if (part === 'runs') {
    await transaction.deleteFrom('runs').where('id', 'in', ids).execute()
    await deleteSessions(withSessions(transaction), ids)
  } else {
    await transaction.deleteFrom('webhook_deliveries').where('run_id', 'in', ids).execute()
    await transaction.deleteFrom('run_payloads').where('run_id', 'in', ids).execute()
    await deleteSessionTexts(transaction, ids)
  }
  return { ids, removed: ids.length }
}

/** Those that nobody resumes meanwhile. */
async function runsEnded(
  transaction: RunTransaction,
  candidates: readonly string[],
  beforeMs: number,
  { isShared }: RunDialect,
): Promise<readonly string[]> {
  const ended = transaction
    .selectFrom('runs')
    .select('id')
    .where('id', 'in', candidates)
    .where('state', 'in', [...endedRunStates])
    .where('ended_at', '<', beforeMs)
    .orderBy('id')
  const rows = await (isShared ? ended.forUpdate().skipLocked() : ended).execute()
  return rows.map(({ id }) => id)
}

/** The session of a run goes when its run does, which counts from its end. */
async function withoutRuns(db: Kysely<RunDatabase>, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const runs = await db.selectFrom('runs').select('id').where('id', 'in', ids).execute()
  const known = new Set(runs.map(({ id }) => id))
  return ids.filter((id) => !known.has(id))
}

async function deleteSessionTexts(transaction: RunTransaction, ids: readonly string[]) {
  if (ids.length === 0) return
  await withSessions(transaction).deleteFrom('session_payloads').where('session_id', 'in', ids).execute()
}

/** Those of some batches that have no runs any more. */
export async function deleteEmptyBatches(
  transaction: RunTransaction,
  candidates: readonly string[],
): Promise<readonly string[]> {
  if (candidates.length === 0) return []
  const deleted = await transaction
    .deleteFrom('run_batches')
    .where('id', 'in', candidates)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('runs').select('runs.id').whereRef('runs.batch_id', '=', 'run_batches.id'))),
    )
    .returning('id')
    .execute()
  return deleted.map(({ id }) => id)
}

/** Removes rows of runs, up to a number, the last ones last: the numbers of events must not begin anew. */
async function deleteSome(
  transaction: RunTransaction,
  table: 'run_events' | 'run_journal',
  key: 'seq' | 'key',
  ids: readonly string[],
  rowsMax: number,
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from ${sql.table(table)} where (run_id, ${sql.ref(key)}) in (
      select run_id, ${sql.ref(key)} from ${sql.table(table)} where run_id in (${sql.join(ids)})
      order by run_id, ${sql.ref(key)} limit ${rowsMax}
    )`.execute(transaction)
  return Number(numAffectedRows)
}
