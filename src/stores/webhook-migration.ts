import { type Kysely, sql } from 'kysely'

/** What is to be told of the ends of runs. */
export async function createWebhookTables(db: Kysely<unknown>) {
  // Whoever ends a run sees in its narrow row whether somebody is to be told.
  await db.schema.alterTable('runs').addColumn('webhook', 'text').execute()
  await db.schema
    .createTable('webhook_deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'bigint', (column) => column.notNull())
    .addColumn('claims', 'bigint', (column) => column.notNull())
    .addColumn('attempt_count', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'text', (column) => column.notNull())
    .execute()
  await sql`create index webhook_deliveries_due on webhook_deliveries (next_at, id) where state = 'pending'`.execute(db)
  await sql`create index webhook_deliveries_of_run on webhook_deliveries (run_id, id)`.execute(db)
}
