import { randomUUID } from 'node:crypto'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIdempotencyKeys } from '../../src/stores/idempotency-migration.ts'
import { createTableIdempotencyStore } from '../../src/stores/idempotency-tables.ts'
import {
  createSqlIdempotencyTables,
  databaseClock,
  type IdempotencyDatabase,
} from '../../src/stores/sql-idempotency-tables.ts'
import { idempotencyStoreContract, sharedIdempotencyStoreContract } from '../contracts/idempotency-store.ts'
import { postgresFolder, startRatesDatabase } from '../support/rates-database.ts'

const databases: Kysely<IdempotencyDatabase>[] = []
let stop = async () => {}

function connect(connectionString: string): Kysely<IdempotencyDatabase> {
  const pool = new pg.Pool({ connectionString, max: 4 })
  pool.on('error', () => {})
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

/** The keys as a process has them that has just started. */
function openProcess(index: 0 | 1) {
  const db = databases[index]
  if (db === undefined) throw new Error('There is no database yet.')
  const tables = createSqlIdempotencyTables(db, { isShared: true, nowMs: databaseClock })
  return createTableIdempotencyStore(tables, { owner: randomUUID(), isShared: true })
}

async function pass(durationMs: number) {
  await sql`update idempotency_keys set expires_at = expires_at - ${durationMs}::bigint,
    alive_until = alive_until - ${durationMs}::bigint`.execute(databases[0] as Kysely<IdempotencyDatabase>)
}

async function empty() {
  await databases[0]?.deleteFrom('idempotency_keys').execute()
}

const isMissing = postgresFolder === undefined
const title = isMissing ? 'postgres (skipped: there is none on this machine that can be started)' : 'postgres'

describe.skipIf(isMissing)(title, () => {
  beforeAll(async () => {
    const server = await startRatesDatabase()
    stop = server.stop
    databases.push(connect(server.url), connect(server.url))
    await createIdempotencyKeys(databases[0] as Kysely<unknown>)
  })

  afterAll(async () => {
    await Promise.all(databases.map((db) => db.destroy()))
    await stop()
  })

  idempotencyStoreContract('postgres', async () => {
    await empty()
    return { store: openProcess(0), pass }
  })

  sharedIdempotencyStoreContract('postgres', async () => {
    await empty()
    return { stores: [openProcess(0), openProcess(1)], pass }
  })

  test('a thousand uses of ten keys by two processes begin ten times', async () => {
    await empty()
    const stores = [openProcess(0), openProcess(1)] as const
    const claims = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        stores[index % 2 === 0 ? 0 : 1].claim({
          keyHash: String(index % 10),
          fingerprint: 'f',
          workId: String(index),
          joins: false,
        }),
      ),
    )
    expect(claims.filter(({ kind }) => kind === 'begun')).toHaveLength(10)
  })
})
