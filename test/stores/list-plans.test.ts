import { DatabaseSync } from 'node:sqlite'
import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateSchema } from '../../src/stores/database-schema.ts'
import { createNodeSqliteDialect } from '../../src/stores/node-sqlite-dialect.ts'
import { type RunDialect, sharedDialect, soleDialect } from '../../src/stores/run-dialect.ts'
import { databaseClock } from '../../src/stores/sql-idempotency-tables.ts'
import { createSqlRunTables } from '../../src/stores/sql-run-tables.ts'
import { ensureSqliteSteps } from '../../src/stores/sqlite-schema.ts'
import { claiming } from '../contracts/run-store.ts'
import { type ListDatabase, listQueries } from '../support/list-queries.ts'
import { missingPostgres } from '../support/postgres.ts'
import { openSchemas, type Schemas } from '../support/postgres-schemas.ts'
import { buildRun } from '../support/runs.ts'

/** Has a claim look for runs of two tenants, and gives what it asked. */
async function claimQueries(db: Kysely<ListDatabase>, asked: CompiledQuery[], dialect: RunDialect) {
  const tables = createSqlRunTables(db, dialect)
  await tables.submit({ runs: ['acme', 'globex'].map((tenant) => buildRun({ id: `of-${tenant}`, tenant })) })
  asked.length = 0
  expect(await tables.claim(claiming)).toHaveLength(2)
  return {
    waiting: asked.filter(({ sql }) => /^\s*(?:with|select) .*state = 'queued'/s.test(sql)),
    underWay: asked.filter(({ sql }) => /^\s*select .*count\(\*\).*state = 'running'/s.test(sql)),
  }
}

describe('lists in SQLite', () => {
  const database = new DatabaseSync(':memory:')
  const asked: CompiledQuery[] = []
  const dialect = createNodeSqliteDialect(database)
  const db = new Kysely<ListDatabase>({ dialect, log: ({ query }) => void asked.push(query) })
  beforeAll(() => ensureSqliteSteps(database, db, true))
  afterAll(() => db.destroy())

  const planOf = (query: string, parameters: readonly unknown[] = []) =>
    database
      .prepare(`explain query plan ${query}`)
      .all(...(parameters as string[]))
      .map(({ detail }) => String(detail))

  test.each(listQueries)('$name: in the order of an index, without a sort', async ({ ask }) => {
    asked.length = 0
    await ask(db)
    const plan = asked.flatMap(({ sql, parameters }) => planOf(sql, parameters))
    expect(plan).toContainEqual(expect.stringMatching(/USING (?:COVERING )?INDEX/))
    expect(plan.filter((step) => step.includes('TEMP B-TREE') || /^SCAN (?!.*USING)/.test(step))).toEqual([])
  })

  test('runs are claimed from one tenant, key and priority to the next, each by the index of what waits', async () => {
    const { waiting, underWay } = await claimQueries(db, asked, soleDialect(Date.now))
    const plan = waiting.flatMap(({ sql, parameters }) => planOf(sql, parameters))
    for (const place of [
      'tenant=? AND key_id=? AND priority>?',
      'tenant=? AND key_id>?',
      'tenant>?',
      'tenant=? AND key_id=? AND priority=? AND run_at<?',
    ]) {
      expect(plan).toContainEqual(expect.stringContaining(`INDEX runs_waiting (${place})`))
    }
    expect(plan.filter((step) => step.includes('TEMP B-TREE') || /^SCAN (?!lanes)(?!.*USING)/.test(step))).toEqual([])
    // Of what has ended nothing is read, however much is kept of it.
    const counted = underWay.flatMap(({ sql, parameters }) => planOf(sql, parameters))
    expect(counted).toEqual(['SCAN runs USING COVERING INDEX runs_of_tenants'])
  })

  test('a list without an index is seen to be sorted', () => {
    expect(planOf('select * from sessions order by duration_ms')).toEqual([
      'SCAN sessions',
      'USE TEMP B-TREE FOR ORDER BY',
    ])
  })
})

const suite = missingPostgres === undefined ? 'lists in PostgreSQL' : `lists in PostgreSQL (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(suite, () => {
  const asked: CompiledQuery[] = []
  let schemas: Schemas
  let pool: pg.Pool
  let db: Kysely<ListDatabase>

  beforeAll(async () => {
    schemas = await openSchemas()
    const { url } = await schemas.newSchema()
    await migrateSchema(url)
    pool = new pg.Pool({ connectionString: url, max: 1 })
    // Tables this small are read as a whole, and sorted, by whoever may: so it only is where there is no other way.
    await pool.query('set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off')
    db = new Kysely({ dialect: new PostgresDialect({ pool }), log: ({ query }) => void asked.push(query) })
  })
  afterAll(async () => {
    await db.destroy()
    await schemas.stop()
  })

  const planOf = async (query: string, parameters: readonly unknown[] = []) => {
    const { rows } = await pool.query(`explain ${query}`, [...parameters])
    return rows.map((row) => String(row['QUERY PLAN']))
  }

  test.each(listQueries)('$name: in the order of an index, without a sort', async ({ ask }) => {
    asked.length = 0
    await ask(db)
    const plans = await Promise.all(asked.map(({ sql, parameters }) => planOf(sql, parameters)))
    const plan = plans.flat().join('\n')
    expect(plan).toMatch(/Index (?:Only )?Scan/)
    expect(plan).not.toMatch(/Seq Scan|Sort/)
  })

  test('runs are claimed from one tenant, key and priority to the next, each by the index of what waits', async () => {
    const { waiting } = await claimQueries(db, asked, sharedDialect(databaseClock))
    const plans = await Promise.all(waiting.map(({ sql, parameters }) => planOf(sql, parameters)))
    const plan = plans.flat().join('\n')
    expect(plan).toMatch(/using runs_waiting/)
    expect(plan).not.toMatch(/Seq Scan|Sort/)
  })

  test('a list without an index is seen to be sorted', async () => {
    expect((await planOf('select * from sessions order by duration_ms')).join('\n')).toMatch(/Sort(.|\n)*Seq Scan/)
  })
})
