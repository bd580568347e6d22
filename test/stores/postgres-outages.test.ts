import { connect, createServer, type Socket } from 'node:net'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type KeeperEvent, keepSessions } from '../../src/engine/session-keeper.ts'
import { migrateSchema } from '../../src/stores/database-schema.ts'
import { openKysely, openPool } from '../../src/stores/postgres-database.ts'
import { withStoreErrors } from '../../src/stores/postgres-errors.ts'
import { openPostgresStore } from '../../src/stores/postgres-store.ts'
import { type Postgres, postgresFolder, startPostgres } from '../support/postgres.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const suite =
  postgresFolder === undefined
    ? 'PostgreSQL that goes away (skipped: there is none on this machine that can be crashed)'
    : 'PostgreSQL that goes away'
const unavailable = { code: 'store-unavailable' }

describe.skipIf(postgresFolder === undefined)(suite, () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  test('refuses saves while it is away, in our words, and takes them again by itself', async () => {
    const store = await openPostgresStore(postgres.url)
    onTestFinished(() => store.close())
    await store.save(buildSession({ id: sessionId(1) }))
    await postgres.crash()
    await expect(store.save(buildSession({ id: sessionId(2) }))).rejects.toMatchObject(unavailable)
    await expect(store.ping()).rejects.toMatchObject({
      ...unavailable,
      message: 'Nothing listens where PostgreSQL should be. Start it, or correct LLLM_DATABASE.',
    })
    await postgres.start()
    await store.ping()
    await store.save(buildSession({ id: sessionId(3) }))
    const { data } = await store.list({}, 10)
    expect(data.map(({ id }) => id)).toEqual([sessionId(3), sessionId(1)])
  })

  test('gets the sessions that waited for it', async () => {
    const store = await openPostgresStore(`${postgres.url}&application_name=keeper`)
    const events: KeeperEvent['type'][] = []
    const keeper = keepSessions(store, ({ type }) => events.push(type))
    onTestFinished(async () => {
      await keeper.close()
      await store.close()
    })
    await postgres.crash()
    await keeper.keep(buildSession({ id: sessionId(11) }))
    expect({ events, waiting: keeper.waitingCount }).toEqual({ events: ['session.unsaved'], waiting: 1 })
    await postgres.start()
    await vi.waitFor(() => expect(events).toEqual(['session.unsaved', 'session.saved-late']), { timeout: 10_000 })
    expect(await store.get(sessionId(11))).toMatchObject({ id: sessionId(11) })
  })

  test('ends a transaction of one process, and keeps nothing of it', async () => {
    const store = await openPostgresStore(postgres.url)
    onTestFinished(() => store.close())
    const admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    onTestFinished(() => admin.end())
    // Nobody may write before this transaction ends, so that the save is cut off in the middle of its own.
    await admin.query('begin')
    await admin.query('lock table cost_lines in exclusive mode')
    const saving = store.save(buildSession({ id: sessionId(21) }))
    saving.catch(() => {})
    const waiting = `select pid from pg_stat_activity where application_name = 'lllm' and wait_event_type = 'Lock'`
    await vi.waitFor(async () => expect((await admin.query(waiting)).rowCount).toBe(1), { interval: 5 })
    await admin.query(`select pg_terminate_backend(pid) from (${waiting}) as waiting`)
    await expect(saving).rejects.toMatchObject(unavailable)
    await admin.query('rollback')
    expect(await store.get(sessionId(21))).toBeUndefined()
    await store.save(buildSession({ id: sessionId(21) }))
    expect(await store.get(sessionId(21))).toMatchObject({ id: sessionId(21) })
  })

  test('is given up where it vanished from the network, and found again by the next call', async () => {
    const wire = await openWire(postgres.url)
    const pool = openPool(`postgres://postgres@127.0.0.1:${wire.port}/postgres`, { silenceMs: 100 })
    const db = openKysely(pool)
    onTestFinished(() => db.destroy())
    const ask = () => withStoreErrors({ ask: () => sql`select 1 as one`.execute(db) }).ask()
    await ask()
    wire.freeze()
    await expect(ask()).rejects.toMatchObject({ ...unavailable, message: 'PostgreSQL does not answer.' })
    wire.thaw()
    expect((await ask()).rows).toEqual([{ one: 1 }])
  })

  test('is used through a proxy that shares its connections out and lets nobody set timeouts', async () => {
    const { port } = await openWire(postgres.url, { refusesTimeouts: true })
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`
    await migrateSchema(url)
    const store = await openPostgresStore(url)
    onTestFinished(() => store.close())
    await store.save(buildSession({ id: sessionId(31) }))
    expect(await store.get(sessionId(31))).toMatchObject({ id: sessionId(31) })
  })
})

/** What PgBouncer answers to whoever sets a timeout. */
function refusal(): Buffer {
  const fields = 'SFATAL\0C08P01\0Munsupported startup parameter: statement_timeout\0\0'
  const length = Buffer.alloc(4)
  length.writeInt32BE(fields.length + 4)
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)])
}

/** A port whose traffic to a database can be held up, as by a network that is cut, and which may let nobody set timeouts. */
async function openWire(url: string, { refusesTimeouts = false } = {}) {
  const { host } = new pg.Client({ connectionString: url })
  let isFrozen = false
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = connect(`${host}/.s.PGSQL.5432`)
    sockets.push(near, far)
    near.once('data', (beginning) => {
      if (refusesTimeouts && beginning.includes('_timeout')) near.end(refusal())
    })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (piece) => isFrozen || !to.writable || to.write(piece))
      from.on('close', () => to.destroy())
      from.on('error', () => {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    freeze() {
      isFrozen = true
    },
    thaw() {
      isFrozen = false
    },
  }
}

describe('what PostgreSQL undoes in favour of others', () => {
  const overtaken = (code: string) => Object.assign(new Error('could not serialize access'), { code })

  test.for(['40001', '40P01', '23505'])('is tried again when it says %s', async (code) => {
    let tries = 0
    const { save } = withStoreErrors({
      async save() {
        if (++tries < 4) throw overtaken(code)
        return 'saved'
      },
    })
    expect(await save()).toBe('saved')
    expect(tries).toBe(4)
  })

  test('is given up after five tries, and anything else at once', async () => {
    const save = vi.fn(async () => Promise.reject(overtaken('40001')))
    await expect(withStoreErrors({ save }).save()).rejects.toMatchObject(unavailable)
    expect(save).toHaveBeenCalledTimes(5)
    const refused = vi.fn(async () => Promise.reject(overtaken('22021')))
    await expect(withStoreErrors({ refused }).refused()).rejects.toMatchObject({
      ...unavailable,
      data: { isPermanent: true },
    })
    expect(refused).toHaveBeenCalledTimes(1)
  })
})
