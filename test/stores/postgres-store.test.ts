import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { firstIdOf } from '../../src/domain/retention.ts'
import { advisoryLocks } from '../../src/stores/advisory-locks.ts'
import { openPostgresStore } from '../../src/stores/postgres-store.ts'
import { budgetStoreContract } from '../contracts/budget-store.ts'
import { keyStoreContract } from '../contracts/key-store.ts'
import { retentionStoreContract } from '../contracts/retention-store.ts'
import { runStoreContract } from '../contracts/run-store.ts'
import { runTurnsContract } from '../contracts/run-turns.ts'
import { scheduleTickContract } from '../contracts/schedule-ticks.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'
import { webhookStoreContract } from '../contracts/webhook-store.ts'
import { missingPostgres } from '../support/postgres.ts'
import { openSchemas, type Schemas } from '../support/postgres-schemas.ts'
import { buildRun } from '../support/runs.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const suite = missingPostgres === undefined ? 'PostgreSQL as a store' : `PostgreSQL as a store (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(suite, () => {
  let schemas: Schemas
  /** The schema that was made last. */
  let schema = ''
  beforeAll(async () => {
    schemas = await openSchemas()
  })
  afterAll(() => schemas.stop())

  async function newUrl(): Promise<string> {
    const made = await schemas.emptySchema()
    schema = made.schema
    return made.url
  }
  const open = async () => openPostgresStore(await newUrl())

  sessionStoreContract('postgresql', open)
  budgetStoreContract('postgresql', async () => {
    const store = await open()
    onTestFinished(() => store.close())
    return store.budgets
  })
  keyStoreContract('postgresql', open)
  const openRunStores = async () => {
    const address = await newUrl()
    const stores = [await openPostgresStore(address), await openPostgresStore(address)] as const
    return {
      stores: [stores[0].runs, stores[1].runs] as const,
      sessions: stores[0],
      expireLeases: async () => void (await schemas.admin.query(`update ${schema}.runs set lease_until = 0`)),
      close: async () => void (await Promise.all(stores.map((store) => store.close()))),
    }
  }
  runStoreContract('postgresql', openRunStores)
  runTurnsContract('postgresql', openRunStores)
  scheduleTickContract('postgresql', openRunStores)

  retentionStoreContract('postgresql', open)
  webhookStoreContract('postgresql', async () => {
    const address = await newUrl()
    const [first, second] = [await openPostgresStore(address), await openPostgresStore(address)]
    return {
      runs: first.runs,
      stores: [first.webhooks, second.webhooks],
      close: async () => void (await Promise.all([first.close(), second.close()])),
    }
  })

  test('is found as it was left by another process', async () => {
    const address = await newUrl()
    const before = await openPostgresStore(address)
    await before.save(buildSession({ tags: { team: 'red' } }))
    const after = await openPostgresStore(address)
    expect((await after.list({ tags: { team: 'red' } }, 10)).data).toHaveLength(1)
    await Promise.all([before.close(), after.close()])
  })

  test('is made ready by one of several processes that start at once', async () => {
    const address = await newUrl()
    const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(address)))
    await Promise.all(stores.map((store) => store.ping()))
    await Promise.all(stores.map((store) => store.close()))
  })

  test('has runs started while somebody changes the tables', async () => {
    const store = await open()
    onTestFinished(() => store.close())
    const migrating = await schemas.admin.connect()
    await migrating.query('begin')
    await migrating.query('select pg_advisory_xact_lock($1)', [advisoryLocks.migration])
    const claim = { owner: 'one', slots: 1, concurrencyMax: 1, leaseMs: 60_000, takesOver: false }
    expect(await store.runs.claim(claim)).toEqual([])
    await migrating.query('rollback')
    migrating.release()
  })

  test('lists what was just queued by its index, before PostgreSQL has looked at the table by itself', async () => {
    const { schema: filled, url } = await schemas.newSchema()
    const store = await openPostgresStore(url)
    onTestFinished(() => store.close())
    const runs = Array.from({ length: 2_000 }, (_, number) =>
      buildRun({ id: sessionId(number), createdAtMs: number, runAtMs: 0, request: { task: '', timeoutMs: 1 } }),
    )
    await store.runs.submit({ runs })
    await vi.waitFor(async () => {
      const { rows } = await schemas.admin.query(
        `explain select * from ${filled}.runs where tenant = 'default' order by created_at desc, id desc limit 50`,
      )
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index Scan Backward using runs_newest/)
    })
  })

  test('lets one process at a time remove what is old', async () => {
    const store = await open()
    onTestFinished(() => store.close())
    await store.save(buildSession({ id: firstIdOf(0) }))
    const step = { part: 'sessions', beforeMs: 1, afterId: '', rowsMax: 10 } as const
    const other = await schemas.admin.connect()
    await other.query('begin')
    await other.query('select pg_advisory_xact_lock($1)', [advisoryLocks.cleaning])
    expect(await store.retention.clean(step)).toBe('busy')
    await other.query('rollback')
    other.release()
    expect(await store.retention.clean(step)).toEqual({ removed: 1, nextId: null })
  })

  test('goes on by itself after its connections were cut', async () => {
    const store = await open()
    await schemas.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'lllm%'`,
    )
    // Each connection of the pool is found to be cut by whoever is given it next, and is replaced.
    let isSaved = false
    for (let tries = 0; tries < 12 && !isSaved; tries++) {
      isSaved = await store.save(buildSession()).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'store-unavailable' })
          return false
        },
      )
    }
    expect(isSaved).toBe(true)
    expect((await store.list({}, 10)).data).toHaveLength(1)
    await store.close()
  })

  test('refuses the tables of another program, and a newer version, by name and without a password', async () => {
    const other = await schemas.newSchema()
    await schemas.admin.query(`create table ${other.schema}.sessions (cookie text)`)
    await expect(openPostgresStore(other.url)).rejects.toThrow(/another program/)
    const newer = await schemas.newSchema()
    await (await openPostgresStore(newer.url)).close()
    await schemas.admin.query(`insert into ${newer.schema}.kysely_migration values ('9999_future', '2030-01-01')`)
    await expect(openPostgresStore(newer.url)).rejects.toThrow(/newer version/)
    const dead = openPostgresStore('postgres://lllm:hunter2@127.0.0.1:9/none')
    await expect(dead).rejects.toThrow('The database 127.0.0.1:9/none: Nothing listens')
    await expect(dead).rejects.not.toThrow(/hunter2/)
  })
})
