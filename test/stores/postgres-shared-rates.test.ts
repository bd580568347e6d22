import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOwnRates } from '../../src/http/door/request-rates.ts'
import { shareRequestRates } from '../../src/http/door/shared-request-rates.ts'
import { paced } from '../../src/invokers/paced-invoker.ts'
import { createPostgresSharedRates, type RateDatabase } from '../../src/stores/postgres-shared-rates.ts'
import { createRates } from '../../src/stores/rate-migration.ts'
import { systemWorld } from '../../src/system-world.ts'
import { says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { sharedRatesContract } from '../contracts/shared-rates.ts'
import { modelRequest, noAbort } from '../support/invoker-fixtures.ts'
import { missingPostgres, openDatabase } from '../support/postgres.ts'

let databases: Kysely<RateDatabase>[] = []
let stop = async () => {}

function connect<Database>(connectionString: string): Kysely<Database> {
  const pool = new pg.Pool({ connectionString, max: 4 })
  pool.on('error', () => {})
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}

function firstDatabase(): Kysely<RateDatabase> {
  const [db] = databases
  if (db === undefined) throw new Error('There is no database yet.')
  return db
}

const title = missingPostgres === undefined ? 'postgres' : `postgres (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(title, () => {
  beforeAll(async () => {
    const server = await openDatabase()
    stop = server.stop
    const { url } = server
    databases = Array.from({ length: 3 }, () => connect<RateDatabase>(url))
    const db = connect<unknown>(url)
    await createRates(db)
    await sql`create table test_clock as select ${Date.UTC(2026, 0, 1)}::bigint as now_ms`.execute(db)
    await db.destroy()
  })

  afterAll(async () => {
    await Promise.all(databases.map((db) => db.destroy()))
    await stop()
  })

  let opened = 0

  sharedRatesContract('postgres', async () => {
    opened++
    // All tests use one table, each by rates of its own.
    const own = `${opened} `
    const open = (db: Kysely<RateDatabase>) => {
      const rates = createPostgresSharedRates(db, { nowMs: sql`(select now_ms from test_clock)` })
      return { take: (request) => rates.take({ ...request, rate: own + request.rate }) } satisfies typeof rates
    }
    const advance = async (durationMs: number) => {
      await sql`update test_clock set now_ms = now_ms + ${durationMs}::bigint`.execute(firstDatabase())
    }
    return { processes: [open(firstDatabase()), ...databases.slice(1).map(open)], advance }
  })

  describe('the real time', () => {
    test('three processes that ask for all they can get never send more than the limit in any window', async () => {
      const spans = { windowMs: 500, cellMs: 25, graceMs: 250 }
      const limit = 30
      const sentAtMs: number[] = []
      const model = scriptedModel((request, signal) => {
        sentAtMs.push(performance.now())
        return says('fine')(request, signal)
      })
      const limits = { concurrency: 1_000, requestsPerMinute: limit }
      const processes = databases.map((db) => {
        const rates = createPostgresSharedRates(db, { spans })
        return paced(model.invoker, limits, systemWorld.clock, () => rates)
      })
      const calls = processes.flatMap((invoker) =>
        Array.from({ length: 30 }, () => invoker.invoke(modelRequest(), noAbort)),
      )
      await Promise.all(calls)
      expect(sentAtMs).toHaveLength(90)
      for (const fromMs of sentAtMs) {
        const within = sentAtMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + spans.windowMs)
        expect(within.length).toBeLessThanOrEqual(limit)
      }
    })
  })

  test('the doors of several processes let in together as many requests as the limit has', async () => {
    const { clock } = systemWorld
    const doors = databases.map((db) =>
      shareRequestRates({ shared: createPostgresSharedRates(db), own: createOwnRates(clock), clock }),
    )
    const counts = await Promise.all(doors.flatMap((door) => Array.from({ length: 20 }, () => door.count('door', 25))))
    expect(counts.filter(({ allowed }) => allowed)).toHaveLength(25)
    for (const { allowed, left, moreMs } of counts) {
      expect(left).toBeLessThanOrEqual(allowed ? 24 : 0)
      expect(moreMs).toBeGreaterThan(0)
    }
  })

  describe('rates', () => {
    test('that were not used for an hour make room for others', async () => {
      const db = firstDatabase()
      const rates = createPostgresSharedRates(db, { nowMs: sql`(select now_ms from test_clock)` })
      const take = (rate: string) => rates.take({ rate, limits: {}, queue: 'a', tokens: [1], corrections: [] })
      await take('old')
      await sql`update test_clock set now_ms = now_ms + 3600001`.execute(db)
      await take('new')
      const kept = await db.selectFrom('rates').select('name').where('name', 'in', ['old', 'new']).execute()
      expect(kept).toEqual([{ name: 'new' }])
    })

    test('that cannot be counted are an unavailable store, whose message tells nothing of the database', async () => {
      const db = connect<RateDatabase>('postgres://user:secret@127.0.0.1:1/nowhere')
      const taken = createPostgresSharedRates(db).take({
        rate: 'a model',
        limits: {},
        queue: 'a',
        tokens: [1],
        corrections: [],
      })
      await expect(taken).rejects.toMatchObject({
        code: 'store-unavailable',
        message: expect.not.stringMatching(/secret|nowhere|127/),
      })
      await db.destroy()
    })
  })
})
