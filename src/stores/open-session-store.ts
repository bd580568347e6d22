import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LllmError } from '../domain/errors.ts'
import type { StoreWithBudgets } from './budget-tables.ts'
import { createMemoryBudgetStore } from './memory-budget-store.ts'
import { createMemoryIdempotencyStore } from './memory-idempotency-store.ts'
import { createMemoryKeys } from './memory-keys.ts'
import { createMemoryRetention } from './memory-retention.ts'
import { createMemorySessionStore } from './memory-session-store.ts'
import { openSqliteSessionStore } from './sqlite-session-store.ts'

/** Where the answer to a wrong setting begins. The setting itself is not quoted: a URL may hold a password. */
const known = 'Give the path of a file, a file: URL, a postgres: URL, or :memory:'

export interface OpenOptions {
  /** Whether tables that are behind are brought up to date, which is the default. Otherwise they are refused. */
  readonly migrates?: boolean
  /** Whether it is opened for one piece of work: SQLite then works in this thread, which it would hold up if others worked here too. */
  readonly isBrief?: boolean
}

/**
 * Opens the store that a setting names: `:memory:`, the path or file: URL of a SQLite database, or the URL of a PostgreSQL.
 *
 * @throws LllmError `invalid-settings` when it names none, and `store-unavailable` when the file cannot be used.
 */
export async function openSessionStore(
  database: string,
  { migrates = true, isBrief = false }: OpenOptions = {},
): Promise<StoreWithBudgets> {
  if (database === ':memory:') {
    const sessions = createMemorySessionStore()
    // What works with a database is loaded only where there is one in this thread.
    const { createMemoryRuns } = await import('./memory-runs.ts')
    const { runs, webhooks, cleaning } = createMemoryRuns(sessions)
    return {
      ...sessions,
      runs,
      webhooks,
      retention: createMemoryRetention(sessions, cleaning),
      budgets: createMemoryBudgetStore(),
      idempotency: createMemoryIdempotencyStore(),
      keys: createMemoryKeys(),
    }
  }
  if (isPostgres(database)) return (await import('./postgres-store.ts')).openPostgresStore(database, { migrates })
  const file = { path: resolve(databasePath(database)), migrates }
  if (!isBrief) return openSqliteSessionStore(file)
  return (await import('./sqlite-here.ts')).openSqliteHere(file)
}

/**
 * The path of the database that a setting names, as it was written. Not for `:memory:`, and not for PostgreSQL.
 *
 * @throws LllmError `invalid-settings` when it names none.
 */
export function databasePath(database: string): string {
  if (/^file:/i.test(database)) return pathOfUrl(database)
  if (database.trim() === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(database) || database.includes('\0')) {
    throw new LllmError('invalid-settings', `The database is none that this version supports. ${known}.`)
  }
  return database
}

/** Whether a setting names a PostgreSQL. */
export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//i.test(database)
}

function pathOfUrl(database: string): string {
  try {
    return fileURLToPath(database)
  } catch (cause) {
    throw new LllmError('invalid-settings', `The database is not a file: URL of this machine. ${known}.`, {}, { cause })
  }
}
