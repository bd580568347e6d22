import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { type SchemaSteps, schemaRefusals, sortSteps } from './schema-steps.ts'
import { sessionMigrations, withoutRowId } from './sql-migrations.ts'
import { SqliteFileUnusable } from './sqlite-errors.ts'

const provider = sessionMigrations({ clustered: withoutRowId })

/**
 * Tells how far the tables of a database are.
 *
 * @throws SqliteFileUnusable when the database is of another program, or of a newer version; else whatever SQLite says.
 */
export function readSqliteSteps(database: DatabaseSync): SchemaSteps {
  const tables = namesOf(database, `select name from sqlite_schema where type = 'table'`)
  if (tables.length > 0 && !tables.includes('kysely_migration')) {
    throw new SqliteFileUnusable(schemaRefusals.foreign('file, or move this one away'))
  }
  const applied = tables.length > 0 ? namesOf(database, 'select name from kysely_migration') : []
  const steps = sortSteps(provider.names, applied)
  if (steps === undefined) throw new SqliteFileUnusable(schemaRefusals.newer)
  return steps
}

/** The same of a file, which is not made if it is not there. */
export function readSqliteFileSteps(path: string): SchemaSteps {
  if (!existsSync(path)) return { applied: [], pending: provider.names }
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return readSqliteSteps(database)
  } finally {
    database.close()
  }
}

/**
 * Brings the tables up to date, or refuses to where that is not wanted.
 *
 * @throws what readSqliteSteps throws, and SqliteFileUnusable when the tables are behind and are to stay so.
 */
export async function ensureSqliteSteps<Tables>(database: DatabaseSync, db: Kysely<Tables>, migrates: boolean) {
  const steps = readSqliteSteps(database)
  if (!migrates && steps.pending.length > 0) throw new SqliteFileUnusable(schemaRefusals.behind(steps))
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error !== undefined) throw error
}

function namesOf(database: DatabaseSync, query: string): readonly string[] {
  return database
    .prepare(query)
    .all()
    .map(({ name }) => String(name))
}
