import type { Kysely } from 'kysely'

/** What several processes have used of the rates that they share: a row a rate, used with PostgreSQL only. */
export async function createRates(db: Kysely<unknown>) {
  await db.schema
    .createTable('rates')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('used_at', 'bigint', (column) => column.notNull())
    .execute()
}
