import { resolve } from 'node:path'
import { readSettings } from '../../settings.ts'
import { databasePath, isPostgres } from '../../stores/open-session-store.ts'
import type { Shell } from '../shell.ts'

/** The database of the settings, as it is seen from the folder of the shell. */
export function databaseOf({ env, folder }: Shell): string {
  const { database } = readSettings(env)
  return database === ':memory:' || isPostgres(database) ? database : resolve(folder, databasePath(database))
}
