import { Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { advisoryLocks } from './advisory-locks.ts'
import { connectPool } from './postgres-database.ts'
import { PostgresUnusable } from './postgres-errors.ts'
import { type SchemaSteps, schemaRefusals, sortSteps } from './schema-steps.ts'
import { sessionMigrations } from './sql-migrations.ts'

const versionMin = 14

interface Found {
  readonly version: number
  /** The first schema of the search path that there is. */
  readonly schema: string | null
  readonly tables: readonly string[]
}

/**
 * Tells how far the tables of a database are.
 *
 * @throws PostgresUnusable when the database is of another program, or of a newer version; else whatever PostgreSQL says.
 */
export async function readPostgresSteps(db: Kysely<unknown>): Promise<SchemaSteps> {
  return (await look(db)).steps
}

/**
 * Brings the tables up to date, in one transaction, on a connection of its own. Processes that do so at once take turns.
 *
 * @returns the steps that were taken, by this process.
 * @throws what readPostgresSteps throws.
 */
export async function migratePostgres(url: string): Promise<readonly string[]> {
  const pool = await connectPool(url, { isPatient: true })
  let firstError: unknown
  const db = new Kysely<unknown>({
    dialect: new MigrationDialect({ pool }),
    log(event) {
      if (event.level === 'error') firstError ??= event.error
    },
  })
  try {
    return await db.transaction().execute(async (transaction) => {
      // Ends with the transaction, also where a proxy shares connections out by transaction.
      await sql`select pg_advisory_xact_lock(${advisoryLocks.migration})`.execute(transaction)
      const { schema, steps } = await look(transaction)
      const provider = sessionMigrations({})
      const migrator = new Migrator({ db: transaction, provider, migrationTableSchema: schema })
      const { error } = await migrator.migrateToLatest()
      if (error !== undefined) throw error
      return steps.pending
    })
  } catch (error) {
    // What follows the first error of a transaction only says that there was one.
    throw firstError ?? error
  } finally {
    await db.destroy()
  }
}

async function look(db: Kysely<unknown>): Promise<{ readonly schema: string; readonly steps: SchemaSteps }> {
  const { rows } = await sql<Found>`
    select current_setting('server_version_num')::int / 10000 as version, current_schema() as schema,
      (select coalesce(json_agg(tablename), '[]') from pg_tables where schemaname = current_schema()) as tables`.execute(
    db,
  )
  const { version, schema, tables } = rows[0] ?? { version: 0, schema: null, tables: [] }
  if (version < versionMin) throw new PostgresUnusable(`It is PostgreSQL ${version}. Use ${versionMin} or newer.`)
  if (schema === null) {
    throw new PostgresUnusable('It has no schema that its search_path names. Create one, or correct it.')
  }
  const isOurs = tables.includes('kysely_migration')
  if (!isOurs && tables.includes('sessions')) {
    throw new PostgresUnusable(schemaRefusals.foreign('database, or another schema'))
  }
  const applied = isOurs
    ? await sql<{ readonly name: string }>`select name from kysely_migration`.execute(db)
    : undefined
  const steps = sortSteps(
    sessionMigrations({}).names,
    (applied?.rows ?? []).map(({ name }) => name),
  )
  if (steps === undefined) throw new PostgresUnusable(schemaRefusals.newer)
  return { schema, steps }
}

/** Whoever migrates holds a lock already, and that of kysely would outlive the transaction behind a proxy. */
class LockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock() {}
  override async releaseMigrationLock() {}
}

class MigrationDialect extends PostgresDialect {
  override createAdapter() {
    return new LockedAdapter()
  }
}
