import { type Kysely, type Selectable, sql } from 'kysely'
import type { ApiKey } from '../domain/api-key.ts'
import type { KeyLimits, Scope } from '../domain/caller.ts'
import { fromColumnText, toColumnText } from './column-text.ts'
import type { KeyTables } from './key-tables.ts'
import type { WholeNumber } from './sql-schema.ts'

/** Keys that are listed. */
const listedMax = 10_000

interface ApiKeyTable {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly hash: string
  /** Scopes and limits as JSON. */
  readonly scopes: string
  readonly limits: string
  readonly created_at: WholeNumber
  readonly expires_at: WholeNumber | null
  readonly revoked_at: WholeNumber | null
  readonly replaced_by: string | null
}

export type KeyDatabase = { readonly api_keys: ApiKeyTable }

export async function createApiKeys(db: Kysely<unknown>) {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('limits', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute()
}

export function createSqlKeyTables(db: Kysely<KeyDatabase>): KeyTables {
  return {
    async find(id) {
      const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toApiKey(row)
    },
    async list() {
      const rows = db.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id').limit(listedMax)
      return (await rows.execute()).map(toApiKey)
    },
    async add(key) {
      await db.insertInto('api_keys').values(toRow(key)).execute()
    },
    replace: (id, untilMs, by) =>
      db.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('api_keys')
          // A key that ends earlier by itself does so.
          .set({
            expires_at: sql<number>`case when expires_at < ${untilMs} then expires_at else ${untilMs} end`,
            replaced_by: by.id,
          })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows === 0n) return false
        await transaction.insertInto('api_keys').values(toRow(by)).execute()
        return true
      }),
    async revoke(id, atMs) {
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set({ revoked_at: sql<number>`coalesce(revoked_at, ${atMs})` })
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async isEmpty() {
      return (await db.selectFrom('api_keys').select('id').limit(1).execute()).length === 0
    },
  }
}

function toRow(key: ApiKey) {
  return {
    id: key.id,
    tenant: key.tenant,
    name: toColumnText(key.name),
    hash: key.hash,
    scopes: JSON.stringify(key.scopes),
    limits: JSON.stringify(key.limits),
    created_at: key.createdAtMs,
    expires_at: key.expiresAtMs,
    revoked_at: key.revokedAtMs,
    replaced_by: key.replacedBy,
  }
}

function toApiKey(row: Selectable<ApiKeyTable>): ApiKey {
  return {
    id: row.id,
    tenant: row.tenant,
    name: fromColumnText(row.name),
    hash: row.hash,
    scopes: JSON.parse(row.scopes) as readonly Scope[],
    limits: JSON.parse(row.limits) as KeyLimits,
    createdAtMs: Number(row.created_at),
    expiresAtMs: row.expires_at === null ? null : Number(row.expires_at),
    revokedAtMs: row.revoked_at === null ? null : Number(row.revoked_at),
    replacedBy: row.replaced_by,
  }
}
