import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LllmError } from '../../domain/errors.ts'
import type { SessionStore } from '../../domain/session-store.ts'
import { readSettings } from '../../settings.ts'
import { databasePath, isPostgres, openSessionStore } from '../../stores/open-session-store.ts'
import type { Shell } from '../shell.ts'

/**
 * Opens the sessions that a service has kept, without its package, for as long as a piece of work takes.
 *
 * @throws LllmError `invalid-settings` when there are none to look at: a database that is not there is not made.
 */
export async function withStore<Result>(
  { env, folder }: Shell,
  work: (store: SessionStore) => Promise<Result>,
): Promise<Result> {
  const { database, migrate } = readSettings(env)
  const store = await openSessionStore(await findDatabase(database, folder), {
    migrates: migrate === 'boot',
    isBrief: true,
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function findDatabase(database: string, folder: string): Promise<string> {
  if (database === ':memory:') {
    throw new LllmError(
      'invalid-settings',
      'LLLM_DATABASE is :memory:, which ends with its process. Set it to the file of the service that you ask about.',
    )
  }
  if (isPostgres(database)) return database
  const path = resolve(folder, databasePath(database))
  if (await isThere(path)) return path
  throw new LllmError(
    'invalid-settings',
    `There is no database ${path}: nothing was kept there yet. Set LLLM_DATABASE to the file of your service.`,
    { file: path },
  )
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
