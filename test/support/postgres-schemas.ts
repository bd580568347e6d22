import pg from 'pg'
import { expect } from 'vitest'
import { inSchema, openDatabase } from './postgres.ts'

/** Schemas of one database, each as good as a database of its own and made in no time. */
export interface Schemas {
  /** Of the database itself. */
  readonly url: string
  /** For whoever looks at them from outside. */
  readonly admin: pg.Pool
  newSchema(): Promise<{ readonly schema: string; readonly url: string }>
  /**
   * One that an earlier test had, with its tables as they are and nothing in them; a new one where there is none yet. Making the tables takes
   * longer than most tests.
   */
  emptySchema(): Promise<{ readonly schema: string; readonly url: string }>
  stop(): Promise<void>
}

export async function openSchemas(): Promise<Schemas> {
  const { url, stop } = await openDatabase()
  const admin = new pg.Pool({ connectionString: url, max: 2 })
  admin.on('error', () => {})
  let count = 0
  /** By their test: those of tests that are over may be used again. */
  const used = new Map<string, string | undefined>()
  return {
    url,
    admin,
    async newSchema() {
      const schema = `schema_${++count}`
      await admin.query(`create schema ${schema}`)
      return { schema, url: inSchema(url, schema) }
    },
    async emptySchema() {
      const { currentTestName: test } = expect.getState()
      const free = [...used].find(([, owner]) => owner !== test)?.[0]
      const schema = free ?? `kept_${++count}`
      used.set(schema, test)
      await (free === undefined ? admin.query(`create schema ${schema}`) : empty(admin, schema))
      return { schema, url: inSchema(url, schema) }
    },
    async stop() {
      await admin.end()
      await stop()
    },
  }
}

/** Removes what is in the tables of a schema, other than what tells how far they are. */
async function empty(admin: pg.Pool, schema: string) {
  const { rows } = await admin.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1 and tablename not like 'kysely%'`,
    [schema],
  )
  // Of tables with a few rows this takes a fraction of what it takes to truncate them.
  await admin.query(rows.map(({ name }) => `delete from ${name};`).join('\n'))
}
