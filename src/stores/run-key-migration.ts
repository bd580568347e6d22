import { type Kysely, sql } from 'kysely'

/**
 * Whose key a run was submitted with, and what came in the place of a key. Runs are started by turns of tenants and keys, which lead the
 * indexes of what waits and of what is under way; runs that were there before are of no key.
 */
export async function addRunKeys(db: Kysely<unknown>) {
  await db.schema.alterTable('api_keys').addColumn('replaced_by', 'text').execute()
  const text = db.schema.alterTable('runs').addColumn('key_id', 'text', (column) => column.notNull().defaultTo(''))
  await text.execute()
  await db.schema.alterTable('runs').addColumn('key_concurrency', 'bigint').execute()
  const statements = [
    sql`drop index runs_due`,
    sql`create index runs_waiting on runs (tenant, key_id, priority, run_at, id) where state = 'queued'`,
    sql`create index runs_of_tenants on runs (tenant, key_id) where state = 'running'`,
  ]
  for (const statement of statements) await statement.execute(db)
}
