import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import type { StoreTables } from './budget-tables.ts'
import { callsOf } from './named-methods.ts'
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts'
import { makePrivateFile } from './private-file.ts'
import { soleDialect } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import { schemaRefusals } from './schema-steps.ts'
import { type BudgetDatabase, createSqlBudgetTables } from './sql-budget-tables.ts'
import { soleCostDialect } from './sql-costs.ts'
import { createSqlIdempotencyTables, type IdempotencyDatabase } from './sql-idempotency-tables.ts'
import { createSqlKeyTables, type KeyDatabase } from './sql-key-tables.ts'
import { createSqlRunTables } from './sql-run-tables.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { createSqlSessionTables } from './sql-session-tables.ts'
import { isAboutRow, SqliteFileUnusable } from './sqlite-errors.ts'
import { ensureSqliteSteps, readSqliteFileSteps } from './sqlite-schema.ts'

/** How long a write waits for another process that holds the lock. */
const busyTimeoutMs = 5_000

/**
 * - WAL with `synchronous=FULL`: a commit is on the disk before it is reported, so it survives a loss of power. One
 *   sync is shared by all sessions of a batch.
 * - A checkpoint each 4,000 pages (16 MB): pages of indexes that change with every session are copied back less often.
 * - A WAL that grew under load is cut back to 64 MB.
 * - What is removed from a page that is written anyway is overwritten.
 */
const pragmas = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma wal_autocheckpoint = 4000;
  pragma journal_size_limit = 67108864;
  pragma cache_size = -16384;
  pragma secure_delete = fast;
`

export interface SqliteFile {
  readonly path: string
  /** Whether its tables are brought up to date, which is the default. Otherwise a file is refused that is behind, or not there. */
  readonly migrates?: boolean
}

/**
 * Opens the file, makes it and its folders for their owner alone if need be, and brings its schema up to date.
 *
 * @throws SqliteFileUnusable when the file is not this program's, or of a newer version; else whatever SQLite says.
 */
export async function openSqliteTables({ path, migrates = true }: SqliteFile): Promise<StoreTables> {
  if (!migrates && !existsSync(path)) throw new SqliteFileUnusable(schemaRefusals.behind(readSqliteFileSteps(path)))
  makePrivateFile(path)
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readBigInts: true })
  try {
    database.exec(pragmas)
    const db = new Kysely<SessionDatabase>({ dialect: createNodeSqliteDialect(database) })
    await ensureSqliteSteps(database, db, migrates)
    const budgetTables = createSqlBudgetTables(db.withTables<BudgetDatabase>())
    const keyTables = createSqlIdempotencyTables(db.withTables<IdempotencyDatabase>(), {
      isShared: false,
      nowMs: () => sql`${Date.now()}`,
    })
    const runTables = createSqlRunTables(db as unknown as Kysely<RunDatabase & SessionDatabase>, soleDialect(Date.now))
    const callRuns = callsOf(runTables)
    const callKeys = callsOf(createSqlKeyTables(db.withTables<KeyDatabase>()))
    const sessionTables = createSqlSessionTables(db, isAboutRow, soleCostDialect(Date.now))
    return withFile(path, database, { ...sessionTables, ...budgetTables, ...keyTables, callRuns, callKeys })
  } catch (error) {
    database.close()
    throw error
  }
}

/** What is particular to a file: that it may vanish under its connection, and that its WAL is put away at the end. */
function withFile(path: string, database: DatabaseSync, tables: Omit<StoreTables, 'ping'>): StoreTables {
  const openedInode = inodeOf(path)

  /** SQLite goes on writing into a file that was deleted or moved, and whoever looks for it by its name finds nothing. */
  function checkInPlace() {
    if (inodeOf(path) !== openedInode) throw new SqliteFileUnusable('The database file was moved or deleted.')
  }

  return {
    ...tables,
    async saveAll(batch) {
      checkInPlace()
      return tables.saveAll(batch)
    },
    async changeAllocations(changes) {
      checkInPlace()
      return tables.changeAllocations(changes)
    },
    async claimKey(request, owner) {
      checkInPlace()
      return tables.claimKey(request, owner)
    },
    async completeKey(use, answer) {
      checkInPlace()
      return tables.completeKey(use, answer)
    },
    async callRuns(method, args) {
      checkInPlace()
      return tables.callRuns(method, args)
    },
    async callKeys(method, args) {
      checkInPlace()
      return tables.callKeys(method, args)
    },
    async ping() {
      checkInPlace()
      // Writes and syncs one page that means nothing. Taking the lock alone would not notice a full disk.
      database.exec('pragma user_version = 0')
    },
    async close() {
      try {
        database.exec('pragma wal_checkpoint(truncate)')
      } finally {
        await tables.close()
      }
    },
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}
