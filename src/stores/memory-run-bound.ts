import type { DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import type { NewRun } from '../domain/run.ts'
import type { RunDatabase } from './run-schema.ts'
import { deleteEmptyBatches } from './sql-retention.ts'

/** What is kept in memory of runs that have ended. */
export interface MemoryRunLimits {
  /** Runs that have ended, 1 or more: by default as many as a batch may have. A hundredth more may be there for a while. */
  readonly endedMax?: number
  /** Bytes of all runs together, whether they have ended or not; default: half a GB. */
  readonly bytesMax?: number
}

type RemovedRun = Pick<NewRun, 'id' | 'tenant'>

/** Of too many runs so many are removed at once. */
const removedAtOnce = 100

/** Sees to it that runs which have ended do not fill the memory: the one that ended first goes first. */
export async function openRunBound(
  database: DatabaseSync,
  db: Kysely<RunDatabase>,
  { endedMax = 100_000, bytesMax = 512 * 1024 * 1024 }: MemoryRunLimits,
) {
  const lookEvery = Math.max(1, Math.floor(endedMax / 100))
  let endedSince = 0
  await sql`create index memory_runs_ended on runs (ended_at, id) where ended_at is not null`.execute(db)

  function readNumber(query: string): number {
    return Number(Object.values(database.prepare(query).get() ?? {})[0])
  }

  function isTooMuch(): boolean {
    const pages = readNumber('pragma page_count') - readNumber('pragma freelist_count')
    return pages * readNumber('pragma page_size') > bytesMax
  }

  /** The oldest ones beyond a number of the newest. */
  async function remove(limit: number): Promise<readonly RemovedRun[]> {
    const oldest = db.selectFrom('runs').select('id').where('ended_at', 'is not', null)
    const ids = oldest.orderBy('ended_at').orderBy('id').limit(limit)
    return db.transaction().execute(async (transaction) => {
      const rows = await transaction
        .deleteFrom('runs')
        .where('id', 'in', ids)
        .returning(['id', 'tenant', 'batch_id'])
        .execute()
      const batches = new Set(rows.flatMap(({ batch_id }) => batch_id ?? []))
      await deleteEmptyBatches(transaction, [...batches])
      return rows.map(({ id, tenant }) => ({ id, tenant }))
    })
  }

  return {
    /** Is told of runs that have just ended, and resolves to those that had to go. */
    async afterEnds(count: number): Promise<readonly RemovedRun[]> {
      if (count === 0) return []
      endedSince += count
      const removed: RemovedRun[] = []
      if (endedSince >= lookEvery) {
        endedSince = 0
        let beyond = readNumber('select count(*) from runs where ended_at is not null') - endedMax
        for (; beyond > 0; beyond -= removedAtOnce) removed.push(...(await remove(Math.min(beyond, removedAtOnce))))
      }
      while (isTooMuch()) {
        const gone = await remove(removedAtOnce)
        if (gone.length === 0) break
        removed.push(...gone)
      }
      return removed
    },
  }
}
