import type { Kysely } from 'kysely'
import { deleteSessions } from './delete-sessions.ts'
import type { RunDialect } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'
import { createBatchWriter } from './sql-batch-writer.ts'
import { createSqlRetention } from './sql-retention.ts'
import { createRunChanges } from './sql-run-changes.ts'
import { createRunClaims } from './sql-run-claims.ts'
import { createRunCounts } from './sql-run-counts.ts'
import { createRunLists } from './sql-run-lists.ts'
import { createRunWrites } from './sql-run-writes.ts'
import { createScheduleTicks } from './sql-schedule-ticks.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { createSqlWebhookTables } from './sql-webhook-tables.ts'
import { withSessions } from './with-sessions.ts'

/** The tables of runs in any database that kysely speaks to, beside those of the sessions that they end with. */
export function createSqlRunTables(db: Kysely<RunDatabase & SessionDatabase>, dialect: RunDialect): RunTables {
  const runs = db as unknown as Kysely<RunDatabase>
  const writeSessions = createBatchWriter(db as unknown as Kysely<SessionDatabase>)
  return {
    ...createRunLists(runs),
    ...createRunCounts(runs),
    ...createRunClaims(runs, dialect),
    ...createScheduleTicks(runs, dialect),
    ...createSqlWebhookTables(runs, dialect),
    ...createSqlRetention(db, dialect),
    ...createRunWrites(runs, dialect, (rows, transaction) => writeSessions([rows], withSessions(transaction))),
    ...createRunChanges(runs, dialect, async (id, transaction) => {
      await deleteSessions(withSessions(transaction), [id])
    }),
  }
}
