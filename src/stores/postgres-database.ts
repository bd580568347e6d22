import { Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import { PostgresUnusable } from './postgres-errors.ts'
import { sessionMigrations } from './sql-migrations.ts'

/** Connections of one process. PostgreSQL has 100 by default, for all of them. */
const connectionsMax = 10
const connectTimeoutMs = 5_000
/** A statement that takes longer is given up by the server, and by us a little later. */
const statementTimeoutMs = 30_000
const queryTimeoutMs = 35_000

/** A pool of connections. One that breaks is replaced by the next that is needed. */
export function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    application_name: 'lllm',
    // A pool that nobody uses keeps no process alive.
    allowExitOnIdle: true,
  })
  // An idle connection that breaks tells of it here, and would end the process if nobody listened. Whoever asks next is told.
  pool.on('error', () => {})
  // One that breaks between two statements of a transaction tells of it by itself; the next statement fails.
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

export function openKysely<Database>(pool: pg.Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}

/**
 * Brings the schema up to date. Processes that do so at once take turns.
 *
 * @throws PostgresUnusable when the database is of another program, or of a newer version; else whatever PostgreSQL says.
 */
export async function migrate(db: Kysely<unknown>): Promise<void> {
  const provider = sessionMigrations({})
  const { rows } = await sql<{ readonly schema: string; readonly tables: readonly string[] }>`
    select current_schema() as schema,
      (select coalesce(json_agg(tablename), '[]') from pg_tables where schemaname = current_schema()) as tables`.execute(
    db,
  )
  const { schema, tables } = rows[0] ?? { schema: null, tables: [] }
  if (schema === null)
    throw new PostgresUnusable('It has no schema that its search_path names. Create one, or correct it.')
  if (tables.includes('sessions') && !tables.includes('kysely_migration')) {
    throw new PostgresUnusable('It has tables of another program. Choose another database, or another schema.')
  }
  if (tables.includes('kysely_migration')) {
    const applied = await sql<{ readonly name: string }>`select name from kysely_migration`.execute(db)
    if (applied.rows.some(({ name }) => !provider.names.includes(name))) {
      throw new PostgresUnusable('A newer version of this program has changed it. Run that version or a later one.')
    }
    if (applied.rows.length === provider.names.length) return
  }
  const { error } = await new Migrator({ db, provider, migrationTableSchema: schema }).migrateToLatest()
  if (error !== undefined) throw error
}
