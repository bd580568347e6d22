import { type Kysely, sql } from 'kysely'
import { activeRunStates, type RunState } from '../domain/run.ts'
import type { RunDatabase } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'

/** How much there is to do. */
export function createRunCounts(db: Kysely<RunDatabase>): Pick<RunTables, 'countQueued' | 'counts'> {
  return {
    async countQueued(tenant, countMax) {
      // The state as a literal, as below.
      const waiting = db
        .selectFrom('runs')
        .select('id')
        .where('tenant', '=', tenant)
        .where(sql<boolean>`state = 'queued'`)
      const counted = db.selectFrom(waiting.limit(countMax).as('waiting'))
      const { count } = await counted.select(sql<bigint | string>`count(*)`.as('count')).executeTakeFirstOrThrow()
      return Number(count)
    },
    async counts() {
      const active = db.selectFrom('runs').select(['state', sql<bigint | string>`count(*)`.as('count')])
      const rows = await active.where('state', 'in', activeRunStates).groupBy('state').execute()
      const countOf = (state: RunState) => Number(rows.find((row) => row.state === state)?.count ?? 0)
      // The state as a literal: so it is the index of runs that are due that is looked through, and not the table.
      const oldest = db.selectFrom('runs').select(sql<bigint | string | null>`min(run_at)`.as('due_at'))
      const { due_at: dueAt } = await oldest.where(sql<boolean>`state = 'queued'`).executeTakeFirstOrThrow()
      return {
        queued: countOf('queued'),
        running: countOf('running'),
        oldestDueAtMs: dueAt === null ? null : Number(dueAt),
      }
    },
  }
}
