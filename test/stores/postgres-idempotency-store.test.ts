import { randomUUID } from 'node:crypto'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { keyLeaseMs } from '../../src/domain/idempotency-store.ts'
import { createIdempotencyKeys } from '../../src/stores/idempotency-migration.ts'
import { createTableIdempotencyStore } from '../../src/stores/idempotency-tables.ts'
import {
  createSqlIdempotencyTables,
  databaseClock,
  type IdempotencyDatabase,
} from '../../src/stores/sql-idempotency-tables.ts'
import { idempotencyStoreContract, sharedIdempotencyStoreContract } from '../contracts/idempotency-store.ts'
import { listen, openService } from '../http/service.ts'
import { post } from '../http/stream-client.ts'
import { missingPostgres, openDatabase } from '../support/postgres.ts'

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

const title = missingPostgres === undefined ? 'postgres' : `postgres (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(title, () => {
  beforeAll(async () => {
    const server = await openDatabase()
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

  describe('two services', () => {
    /** They share nothing but the database. Each of their models answers when it is told to. */
    async function openReplicas() {
      await empty()
      const replies = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const
      const services = [
        await openService({ idempotency: openProcess(0) }),
        await openService({ idempotency: openProcess(1) }),
      ] as const
      for (const [index, { model }] of services.entries()) {
        model.answer = () => replies[index === 0 ? 0 : 1].promise
      }
      const urls = [await listen(services[0]), await listen(services[1])] as const
      const send = (index: 0 | 1) =>
        post(`${urls[index]}/tactics/shout`, { task: 'a' }, { headers: { 'idempotency-key': 'k' } })
      const modelsAsked = () => services.map(({ model }) => model.callCount)
      return { send, replies, modelsAsked }
    }

    test('that are asked at once with one key: one makes the call, the other says so, then both have the answer', async () => {
      const { send, replies, modelsAsked } = await openReplicas()
      const answers = [send(0), send(1)] as const
      // The one that is refused is answered at once, the other one when its model has answered.
      const refused = await Promise.race(answers)
      expect(refused.status).toBe(409)
      for (const { resolve } of replies) resolve('DONE')
      expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 409])
      expect(modelsAsked().sort()).toEqual([0, 1])
      const again = [await send(0), await send(1)]
      expect(again.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual(['true', 'true'])
      expect(await again[0]?.text()).toBe(await again[1]?.text())
    })

    test('of which one has not been heard of for a while: the other makes the call, and its answer is kept', async () => {
      const { send, replies, modelsAsked } = await openReplicas()
      const lost = send(0)
      await vi.waitFor(() => expect(modelsAsked()).toEqual([1, 0]), { interval: 2 })
      expect((await send(1)).status).toBe(409)
      await pass(keyLeaseMs + 1)
      replies[1].resolve('DONE')
      const made = await send(1)
      expect([made.status, made.headers.get('idempotency-replayed')]).toEqual([200, null])
      replies[0].resolve('LATE')
      expect((await lost).status).toBe(200)
      expect(await (await send(0)).text()).toBe(await made.text())
    })
  })
})
