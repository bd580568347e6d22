import { resolve } from 'node:path'
import { LllmError } from '../domain/errors.ts'
import { databasePath, isPostgres } from './open-session-store.ts'
import type { SchemaSteps } from './schema-steps.ts'
import { explainSqliteError } from './sqlite-errors.ts'

/** How far the tables of a database are. */
export interface DatabaseSchema extends SchemaSteps {
  readonly kind: 'sqlite' | 'postgresql'
  /** Which database it is: the path of its file, or host, port and name. Never a user or a password. */
  readonly name: string
}

/**
 * Tells how far the tables of a database are, and changes nothing. What works with it is loaded when it is needed.
 *
 * @throws LllmError `invalid-settings` when the setting names no database that lasts, and `store-unavailable` when the database
 *   cannot be used, or is of another program or of a newer version.
 */
export async function readSchema(database: string): Promise<DatabaseSchema> {
  if (isPostgres(database)) {
    const { addressOf, connectPool, openKysely, withAddress } = await import('./postgres-database.ts')
    const { readPostgresSteps } = await import('./postgres-schema.ts')
    return withAddress(database, async () => {
      const db = openKysely<unknown>(await connectPool(database))
      try {
        return { kind: 'postgresql', name: addressOf(database), ...(await readPostgresSteps(db)) }
      } finally {
        await db.destroy()
      }
    })
  }
  const name = fileOf(database)
  return withFileName(name, async () => {
    const { readSqliteFileSteps } = await import('./sqlite-schema.ts')
    return { kind: 'sqlite', name, ...readSqliteFileSteps(name) }
  })
}

/**
 * Brings the tables of a database up to date. A file is made if it is not there.
 *
 * @returns the steps that were taken.
 * @throws what readSchema throws.
 */
export async function migrateSchema(database: string): Promise<readonly string[]> {
  if (isPostgres(database)) {
    const { withAddress } = await import('./postgres-database.ts')
    const { migratePostgres } = await import('./postgres-schema.ts')
    return withAddress(database, () => migratePostgres(database))
  }
  const path = fileOf(database)
  return withFileName(path, async () => {
    const { readSqliteFileSteps } = await import('./sqlite-schema.ts')
    const { openSqliteTables } = await import('./sqlite-database.ts')
    const { pending } = readSqliteFileSteps(path)
    await (await openSqliteTables({ path })).close()
    return pending
  })
}

function fileOf(database: string): string {
  if (database !== ':memory:') return resolve(databasePath(database))
  throw new LllmError('invalid-settings', 'LLLM_DATABASE is :memory:, which has no tables that last.')
}

async function withFileName<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    const message = `The database ${file}: ${explainSqliteError(cause)}`
    throw new LllmError('store-unavailable', message, { file }, { cause })
  }
}
