import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { advisoryLocks } from './advisory-locks.ts'
import { createTableBudgetStore, type StoreWithBudgets } from './budget-tables.ts'
import { openFirstStatistics } from './first-statistics.ts'
import { createTableIdempotencyStore } from './idempotency-tables.ts'
import { connectPool, openKysely, withAddress } from './postgres-database.ts'
import { isAboutRow, isAboutWriting, PostgresUnusable, toStoreError, withStoreErrors } from './postgres-errors.ts'
import { openPostgresRunChanges } from './postgres-run-changes.ts'
import { migratePostgres, readPostgresSteps } from './postgres-schema.ts'
import { createPostgresSharedRates, type RateDatabase } from './postgres-shared-rates.ts'
import { createTableRetentionStore } from './retention-tables.ts'
import { sharedDialect } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'
import { schemaRefusals } from './schema-steps.ts'
import type { SessionTables } from './session-tables.ts'
import { type BudgetDatabase, createSqlBudgetTables } from './sql-budget-tables.ts'
import { sharedCostDialect } from './sql-costs.ts'
import { createSqlIdempotencyTables, databaseClock, type IdempotencyDatabase } from './sql-idempotency-tables.ts'
import { createSqlKeyTables, type KeyDatabase } from './sql-key-tables.ts'
import { createSqlRunTables } from './sql-run-tables.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { createSqlSessionTables } from './sql-session-tables.ts'
import { createTableRunStore } from './table-run-store.ts'
import { createTableStore } from './table-store.ts'
import { createTableWebhookStore } from './webhook-tables.ts'

type AllTables = SessionDatabase & BudgetDatabase & IdempotencyDatabase & RateDatabase & RunDatabase & KeyDatabase

/**
 * Opens a PostgreSQL as the store of everything, which any number of processes may share.
 *
 * @param migrates Whether tables that are behind are brought up to date. Otherwise they are refused.
 * @throws LllmError `store-unavailable` when it cannot be reached or used. Its message names host and database, and no password.
 */
export async function openPostgresStore(
  url: string,
  { migrates = true }: { readonly migrates?: boolean } = {},
): Promise<StoreWithBudgets> {
  const { pool, db } = await withAddress(url, () => openUpToDate(url, migrates))
  const changes = openPostgresRunChanges(url, pool)
  const sessions = createTableStore('postgresql', sessionTablesOf(db))
  const runs = withStatistics(db, withStoreErrors(createSqlRunTables(as(db), sharedDialect(databaseClock))))
  const keys = createSqlIdempotencyTables(as(db), { isShared: true, nowMs: databaseClock })
  const budgets = createSqlBudgetTables(as(db), async (transaction) => {
    await sql`select pg_advisory_xact_lock(${advisoryLocks.budgets})`.execute(transaction)
  })
  return {
    ...sessions,
    async close() {
      await changes.close()
      await sessions.close()
    },
    budgets: createTableBudgetStore(withStoreErrors(budgets)),
    idempotency: createTableIdempotencyStore(withStoreErrors(keys), { owner: randomUUID(), isShared: true }),
    rates: createPostgresSharedRates(as(db)),
    runs: createTableRunStore(runs, { changes, isShared: true, own: async () => {} }),
    webhooks: createTableWebhookStore(runs),
    keys: withStoreErrors(createSqlKeyTables(as(db))),
    retention: createTableRetentionStore(runs),
  }
}

/** The same database, as those see it who know some of its tables. */
function as<Some>(db: Kysely<AllTables>): Kysely<Some> {
  return db as unknown as Kysely<Some>
}

function withStatistics(db: Kysely<AllTables>, runs: RunTables): RunTables {
  const added = openFirstStatistics(as(db), ['runs', 'run_tags', 'run_payloads'])
  return {
    ...runs,
    async submit(submission) {
      const answer = await runs.submit(submission)
      added(submission.runs.length)
      return answer
    },
  }
}

/** A step in which sums are made has as many rows as this, or more, unless it is the last one. */
const rowsOfSumStep = 100

function sessionTablesOf(db: Kysely<AllTables>): SessionTables {
  const added = openFirstStatistics(as(db), ['sessions', 'session_tags', 'cost_lines'])
  const summed = openFirstStatistics(as(db), ['cost_spans', 'cost_sums'])
  const tables = createSqlSessionTables(as(db), isAboutRow, sharedCostDialect(databaseClock))
  const noteSums = (isMore: boolean) => {
    if (isMore) summed(rowsOfSumStep)
    return isMore
  }
  return withStoreErrors<SessionTables>({
    ...tables,
    async saveAll(batch) {
      const refusals = await tables.saveAll(batch)
      added(batch.length)
      return refusals.map(({ index, error }) => ({ index, error: toStoreError(error) }))
    },
    // Who cannot keep sums is told the same without them, from the sessions themselves.
    sumCosts: (...args) =>
      tables.sumCosts(...args).then(noteSums, (error: unknown) => {
        if (isAboutWriting(error)) return false
        throw error
      }),
    // Where texts are sorted by a language, an id that begins so does not lie between two others.
    async findIds(tenant, prefix, limit) {
      const pattern = `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`
      const own = db.selectFrom('sessions').select('id').where('tenant', '=', tenant)
      const found = own.where('id', 'like', pattern).orderBy('id').limit(limit)
      return (await found.execute()).map(({ id }) => id)
    },
    async ping() {
      const { rows } = await sql<{ readonly is_read_only: boolean }>`
        select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as is_read_only`.execute(db)
      if (rows[0]?.is_read_only !== false) {
        throw new PostgresUnusable('PostgreSQL takes no changes: it is a standby, or read-only.')
      }
    },
  })
}

async function openUpToDate(url: string, migrates: boolean) {
  const pool = await connectPool(url)
  const db = openKysely<AllTables>(pool)
  try {
    const steps = await readPostgresSteps(as(db))
    if (steps.pending.length > 0) {
      if (!migrates) throw new PostgresUnusable(schemaRefusals.behind(steps))
      await migratePostgres(url)
    }
    return { pool, db }
  } catch (error) {
    await db.destroy()
    throw error
  }
}
