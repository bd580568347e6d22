import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { halfSessions } from '../support/half-sessions.ts'
import { inSchema, type Postgres, postgresFolder, startPostgres } from '../support/postgres.ts'
import { says } from '../support/scripted-provider.ts'
import { answersUntilKill, callers, killUnderLoad } from './support/kill-under-load.ts'
import { replyUsd, scripted, startService, usage } from './support/service.ts'
import { spawnProcess, spawnService } from './support/spawned-service.ts'

const suite =
  postgresFolder === undefined
    ? 'a service on PostgreSQL (skipped: there is none on this machine that can be started)'
    : 'a service on PostgreSQL'
const password = 'hunter2-of-the-url'

describe.skipIf(postgresFolder === undefined)(suite, { timeout: 60_000 }, () => {
  let postgres: Postgres
  let admin: pg.Pool
  beforeAll(async () => {
    postgres = await startPostgres()
    admin = new pg.Pool({ connectionString: postgres.url, max: 2 })
    admin.on('error', () => {})
  })
  afterAll(async () => {
    await admin.end()
    await postgres.stop()
  })

  /** An empty schema by a URL with a password, which this server does not ask for. */
  async function newDatabase(schema: string) {
    await admin.query(`create schema ${schema}`)
    return inSchema(postgres.url.replace('postgres@', `postgres:${password}@`), schema)
  }

  test('answers, stores, and reports costs, also of calls made while the database was away; nobody learns its password', async () => {
    const provider = await scripted(() => says('Bees are busy.', { usage }))
    const service = await spawnService({ provider, database: await newDatabase('answers') })
    const first = await service.call('summarizer', 'bees')
    expect(first.status).toBe(200)
    expect(await service.session(first.body.session_id)).toMatchObject({ state: 'success', llm_call_count: 1 })
    expect((await service.get('/readyz')).status).toBe(200)

    await postgres.crash()
    const meanwhile = await service.call('summarizer', 'wasps')
    expect(meanwhile.status).toBe(200)
    const notReady = await service.get('/readyz')
    expect(notReady).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
    const refused = await service.get('/sessions')
    expect(refused).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })

    await postgres.start()
    await vi.waitFor(
      async () => expect((await service.get(`/sessions/${meanwhile.body.session_id}`)).status).toBe(200),
      {
        timeout: 10_000,
        interval: 20,
      },
    )
    expect((await service.get('/readyz')).status).toBe(200)
    const costs = await service.get<{ readonly total: Readonly<Record<string, number>> }>('/costs')
    expect(costs.body.total).toMatchObject({ sessions: 2, llm_calls: 2 })
    expect(costs.body.total['cost_usd']).toBeCloseTo(2 * replyUsd, 9)

    const told = [notReady, refused, await service.get('/info'), await service.get('/openapi.json')]
    service.kill('SIGTERM')
    const { stdout, stderr } = await service.exited
    for (const text of [JSON.stringify(told), stdout, stderr]) expect(text).not.toContain(password)
  })

  test('answers while the database takes no changes, as one that became a standby, and stores what it could not by itself', async () => {
    const provider = await scripted(() => says('Bees are busy.', { usage }))
    const service = await startService({ provider, database: await newDatabase('read_only') })
    const setReadOnly = async (state: 'on' | 'off') => {
      await admin.query(`alter system set default_transaction_read_only = ${state}`)
      await admin.query('select pg_reload_conf()')
    }
    const becomes = (status: number) =>
      vi.waitFor(async () => expect((await service.get('/readyz')).status).toBe(status), { timeout: 10_000 })
    const before = await service.call('summarizer', 'bees')
    await becomes(200)

    await setReadOnly('on')
    onTestFinished(() => setReadOnly('off'))
    await becomes(503)
    const meanwhile = await service.call('summarizer', 'wasps')
    expect([before.status, meanwhile.status]).toEqual([200, 200])
    // What is there can be read.
    expect((await service.get(`/sessions/${before.body.session_id}`)).status).toBe(200)
    expect((await service.post('/tactics/summarizer/runs', { task: 'ants' })).status).toBe(503)

    await setReadOnly('off')
    await becomes(200)
    const isStored = async () => (await service.get(`/sessions/${meanwhile.body.session_id}`)).status === 200
    await vi.waitUntil(isStored, { timeout: 10_000 })
    const costs = await service.get<{ readonly total: Readonly<Record<string, number>> }>('/costs')
    expect(costs.body.total).toMatchObject({ sessions: 2, llm_calls: 2 })
  })

  test('has each session that was answered before a kill -9 under load, whole, and no half ones', async () => {
    const provider = await scripted(() => 'Bees are busy.')
    const database = await newDatabase('killed')
    const answered = await killUnderLoad(await spawnService({ provider, database }))
    const pool = new pg.Client({ connectionString: database })
    await pool.connect()
    const ids = (await pool.query<{ id: string }>('select id from sessions')).rows.map(({ id }) => id)
    expect((await pool.query(halfSessions.postgresql)).rows).toEqual([])
    await pool.end()
    expect(answered.length).toBeGreaterThanOrEqual(answersUntilKill)
    expect(answered.filter((id) => !ids.includes(id))).toEqual([])
    expect(ids.length).toBeLessThanOrEqual(answered.length + callers)
  })

  test('does not start where it may not migrate, and says which database and what to do, without the password', async () => {
    const database = await newDatabase('behind')
    const { code, stdout, stderr } = await spawnProcess({ database, env: { LLLM_MIGRATE: 'never' } }).exited
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^lllm cannot start\. The database postgres at the socket in \S+: Its tables are \d+ steps behind this version\. Run `lllm db migrate`/,
    )
    expect(stderr).not.toContain(password)
  })
})
