import { type Kysely, sql } from 'kysely'

/**
 * What was asked for under a key, and what the answer was. A row without a status has no answer yet. Answers are long, so that the
 * few rows without one have an index of their own.
 */
export async function createIdempotencyKeys(db: Kysely<unknown>) {
  await db.schema
    .createTable('idempotency_keys')
    .addColumn('key_hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('work_id', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('alive_until', 'bigint')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('holders', 'bigint', (column) => column.notNull())
    .addColumn('status', 'bigint')
    .addColumn('headers', 'text')
    .addColumn('body', 'text')
    .execute()
  await db.schema.createIndex('idempotency_keys_by_end').on('idempotency_keys').column('expires_at').execute()
  await db.schema
    .createIndex('idempotency_keys_under_way')
    .on('idempotency_keys')
    .column('owner')
    .where(sql.ref('status'), 'is', null)
    .execute()
}
