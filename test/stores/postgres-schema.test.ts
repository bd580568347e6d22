import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateSchema, readSchema } from '../../src/stores/database-schema.ts'
import { openPostgresStore } from '../../src/stores/postgres-store.ts'
import { sessionMigrations } from '../../src/stores/sql-migrations.ts'
import { upgradeContract } from '../contracts/upgrade.ts'
import { fillOldDatabase } from '../support/old-database.ts'
import { inSchema, isGuarded, missingPostgres } from '../support/postgres.ts'
import { openSchemas, type Schemas } from '../support/postgres-schemas.ts'
import { buildSession } from '../support/sessions.ts'

const { names } = sessionMigrations({})
const unguarded = isGuarded ? '' : ' (skipped: the users of LLLM_TEST_POSTGRES are not ours to make)'
const suite =
  missingPostgres === undefined ? 'the tables in PostgreSQL' : `the tables in PostgreSQL (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(suite, () => {
  let schemas: Schemas
  beforeAll(async () => {
    schemas = await openSchemas()
  })
  afterAll(() => schemas.stop())

  /** An empty schema, how it is reached, and what is in it. */
  async function newSchema() {
    const { schema, url } = await schemas.newSchema()
    const tables = async () => {
      const { rows } = await schemas.admin.query('select tablename from pg_tables where schemaname = $1', [schema])
      return rows.map(({ tablename }) => tablename as string)
    }
    return { schema, url, tables }
  }

  upgradeContract('postgresql', async () => {
    const { schema, url: database } = await newSchema()
    const db = new Kysely<never>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: database }) }),
    })
    await fillOldDatabase(db, {}, schema)
    await db.destroy()
    return openPostgresStore(database)
  })

  test('are behind in an empty database, up to date after a migration, and left alone by the next one', async () => {
    const { url: database } = await newSchema()
    expect(await readSchema(database)).toMatchObject({ kind: 'postgresql', applied: [], pending: names })
    expect(await migrateSchema(database)).toEqual(names)
    expect(await readSchema(database)).toMatchObject({ applied: names, pending: [] })
    expect(await migrateSchema(database)).toEqual([])
  })

  test('are made by one of several processes that migrate at once', async () => {
    const { url: database } = await newSchema()
    const taken = await Promise.all([1, 2, 3, 4].map(() => migrateSchema(database)))
    expect(taken.filter((steps) => steps.length > 0)).toEqual([names])
  })

  test('are not touched by a process that may not migrate: it says what to do, and starts once that is done', async () => {
    const { url: database, tables } = await newSchema()
    const opening = openPostgresStore(database, { migrates: false })
    await expect(opening).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining(`${names.length} steps behind this version. Run \`lllm db migrate\``),
    })
    expect(await tables()).toEqual([])
    await migrateSchema(database)
    await (await openPostgresStore(database, { migrates: false })).close()
  })

  test('are not mixed with those of another program, of which nothing is left behind', async () => {
    const { schema, url: database, tables } = await newSchema()
    await schemas.admin.query(`create table ${schema}.runs (finish_line text)`)
    await expect(migrateSchema(database)).rejects.toThrow(/database of another program/)
    expect(await tables()).toEqual(['runs'])
  })

  test('need a schema that is there', async () => {
    await expect(migrateSchema(inSchema(schemas.url, 'nowhere'))).rejects.toThrow(
      /no schema that its search_path names/,
    )
  })

  test('are not looked for in a database that is not there', async () => {
    const { url } = schemas
    const { database = '' } = new pg.Client({ connectionString: url })
    const at = url.lastIndexOf(`/${database}`)
    const other = `${url.slice(0, at)}/not_there${url.slice(at + 1 + database.length)}`
    await expect(readSchema(other)).rejects.toThrow(/not_there.*: PostgreSQL has no such database/)
  })

  test.skipIf(!isGuarded)(`are kept from whoever gives a wrong password${unguarded}`, async () => {
    await schemas.admin.query(`create role guarded login password 'right'`)
    const withPassword = (password: string) => schemas.url.replace('postgres@', `guarded:${password}@`)
    const refused = readSchema(withPassword('hunter2'))
    await expect(refused).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('PostgreSQL refuses the user or the password of LLLM_DATABASE'),
    })
    await expect(refused).rejects.not.toThrow(/hunter2/)
    expect(await readSchema(withPassword('right'))).toMatchObject({ pending: names })
  })

  test.skipIf(!isGuarded)(`are enough for a user who only reads and writes them${unguarded}`, async () => {
    const { schema, url: database } = await newSchema()
    await schemas.admin.query(`create role helper login; grant usage on schema ${schema} to helper`)
    const asHelper = database.replace('postgres@', 'helper@')
    await expect(migrateSchema(asHelper)).rejects.toThrow(
      /may not do what is needed.*right to create and change tables/,
    )
    await migrateSchema(database)
    await schemas.admin.query(`grant select, insert, update, delete on all tables in schema ${schema} to helper`)
    const store = await openPostgresStore(asHelper, { migrates: false })
    await store.save(buildSession())
    expect((await store.list({}, 10)).data).toHaveLength(1)
    await store.close()
  })
})

describe('the URL of a PostgreSQL', () => {
  test.for([
    ['postgres://lllm:hunter2@127.0.0.1:9/none', '127.0.0.1:9/none: Nothing listens where PostgreSQL should be'],
    ['postgresql://lllm:hunter2@[::1]:9/none', '::1:9/none: Nothing listens where PostgreSQL should be'],
    ['postgres://lllm:hunter2@/none?host=/nowhere', 'none at the socket in /nowhere: Nothing listens'],
    ['postgres://lllm:hunter2@host:port/none', 'LLLM_DATABASE cannot be read as a URL'],
    ['postgres://lllm:hunter2/@host/none', 'LLLM_DATABASE cannot be read as a URL'],
    ['postgres://lllm:hunter2@host/none?sslrootcert=/not/there', 'A file that LLLM_DATABASE names cannot be read'],
  ])('%s: %s', async ([url = '', told = '']) => {
    const refused = openPostgresStore(url)
    await expect(refused).rejects.toMatchObject({ code: 'store-unavailable', message: expect.stringContaining(told) })
    await expect(refused).rejects.not.toThrow(/hunter2/)
  })
})
