import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import { advisoryLocks } from '../../src/stores/advisory-locks.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { openPostgresStore } from '../../src/stores/postgres-store.ts'
import { toSessionRows } from '../../src/stores/session-rows.ts'
import { tableColumns } from '../../src/stores/sql-schema.ts'
import { toStoredSession } from '../../src/stores/stored-session.ts'
import { inSchema, missingPostgres } from '../support/postgres.ts'
import { openSchemas, type Schemas } from '../support/postgres-schemas.ts'
import { range } from '../support/session-stores.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const suite =
  missingPostgres === undefined
    ? 'sums of costs in a PostgreSQL of several processes'
    : `sums of costs in a PostgreSQL of several processes (${missingPostgres})`
const pastMs = Date.UTC(2021, 1, 27, 10, 30)

describe.skipIf(missingPostgres !== undefined)(suite, () => {
  let schemas: Schemas
  beforeAll(async () => {
    schemas = await openSchemas()
  })
  afterAll(() => schemas.stop())

  /** Stores of two processes, and a connection of a third one whose transactions are as slow as a test wants them. */
  async function openProcesses() {
    const { schema, url } = await schemas.newSchema()
    const stores = [await openPostgresStore(url), await openPostgresStore(url)] as const
    const slow = await schemas.admin.connect()
    await slow.query(`set search_path = ${schema}`)
    onTestFinished(async () => {
      await slow.query('rollback')
      slow.release()
      await Promise.all(stores.map((store) => store.close()))
    })
    return { stores, slow }
  }

  /** Resolves when somebody waits for the lock of those who sum. */
  const someoneWaits = () =>
    vi.waitFor(async () => {
      const { rows } = await schemas.admin.query(
        `select 1 from pg_locks where locktype = 'advisory' and objid = $1 and not granted`,
        [advisoryLocks.costs],
      )
      expect(rows).toHaveLength(1)
    })

  test('a session that is being saved while its day is summed is in the sum', async () => {
    const { stores, slow } = await openProcesses()
    await stores[0].save(buildSession({ startedAtMs: pastMs }))
    await slow.query('begin')
    await insert(slow, buildSession({ id: sessionId(2), startedAtMs: pastMs + 1 }))
    const report = stores[0].costs({}, ['agent'])
    await someoneWaits()
    await slow.query('commit')
    expect((await report).total).toMatchObject({ sessions: 2, llmCalls: 2 })
    expect((await stores[1].costs({}, ['agent'])).total).toMatchObject({ sessions: 2, llmCalls: 2 })
  })

  test('a session of the past waits for whoever sums, and one of today does not', async () => {
    const { stores, slow } = await openProcesses()
    await slow.query('begin')
    await slow.query('select pg_advisory_xact_lock($1)', [advisoryLocks.costs])
    await stores[0].save(buildSession({ id: sessionId(2), startedAtMs: Date.now() }))
    const late = stores[0].save(buildSession({ startedAtMs: pastMs }))
    await someoneWaits()
    await slow.query('commit')
    await late
    expect((await stores[1].costs({}, ['agent'])).total.sessions).toBe(2)
  })

  test('a session that is undone leaves the sums as they were', async () => {
    const { stores, slow } = await openProcesses()
    await stores[0].save(buildSession({ startedAtMs: pastMs }))
    const before = await stores[0].costs({}, ['agent'])
    await slow.query('begin')
    await insert(slow, buildSession({ id: sessionId(2), startedAtMs: pastMs + 1 }))
    expect(await stores[0].costs({}, ['agent'])).toEqual(before)
    await slow.query('rollback')
    expect(await stores[1].costs({}, ['agent'])).toEqual(before)
  })

  test('whoever may only read is told costs that nobody has summed', async () => {
    const { schema, url } = await schemas.newSchema()
    const writer = await openPostgresStore(url)
    await writer.save(buildSession({ startedAtMs: pastMs }))
    const reader = await openPostgresStore(inSchema(schemas.url, `${schema} -c default_transaction_read_only=on`))
    onTestFinished(async () => void (await Promise.all([writer.close(), reader.close()])))
    const told = await reader.costs({}, ['agent'])
    expect(told.total).toMatchObject({ sessions: 1, llmCalls: 1 })
    expect(await writer.costs({}, ['agent'])).toEqual(told)
  })

  test('two processes that save, delete and report the same days at once lose nothing', async () => {
    const { stores } = await openProcesses()
    const plain = createMemorySessionStore()
    const sessions = range(48).map((number) =>
      buildSession({ id: sessionId(number), startedAtMs: pastMs + (number % 6) * 7 * 3_600_000 }),
    )
    await Promise.all(
      sessions.map(async (session, index) => {
        const [mine, other] = index % 2 === 0 ? stores : ([stores[1], stores[0]] as const)
        await mine.save(session)
        await other.costs({ startedAfterMs: pastMs }, ['agent'])
        if (index % 5 === 0) await other.delete(session.id)
      }),
    )
    await Promise.all(sessions.filter((_, index) => index % 5 !== 0).map((session) => plain.save(session)))
    const expected = await plain.costs({}, ['day', 'model'])
    for (const store of stores) expect(await store.costs({}, ['day', 'model'])).toEqual(expected)
  })
})

/** Writes a session as stores do, in the transaction that is under way. */
async function insert(client: pg.PoolClient, session: Session) {
  const rows = toSessionRows(toStoredSession(session))
  const tables = [
    ['sessions', [rows.session]],
    ['session_payloads', [rows.payload]],
    ['cost_lines', rows.lines],
  ] as const
  for (const [table, values] of tables) {
    for (const value of values) {
      const places = value.map((_, index) => `$${index + 1}`)
      await client.query(`insert into ${table} (${tableColumns[table].join(', ')}) values (${places.join(', ')})`, [
        ...value,
      ])
    }
  }
}
