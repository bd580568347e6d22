import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { LllmError } from '../domain/errors.ts'
import type { RunStore } from '../domain/run-store.ts'
import type { SessionStore } from '../domain/session-store.ts'
import type { WebhookStore } from '../domain/webhook-store.ts'
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts'
import { localRunChanges } from './run-changes.ts'
import { soleDialect } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import { callRunsOf, type RunTables, runTablesOver } from './run-tables.ts'
import { sessionMigrations, withoutRowId } from './sql-migrations.ts'
import { createSqlRunTables } from './sql-run-tables.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { createTableRunStore } from './table-run-store.ts'
import { createTableWebhookStore } from './webhook-tables.ts'

/** Runs, and what goes with them. */
export interface MemoryRuns {
  readonly runs: RunStore
  readonly webhooks: WebhookStore
}

/**
 * Runs that end with the process: in tables of a database in memory, so that all runs are kept in one way. It is opened when it is first
 * needed. Their sessions are kept where the others are.
 */
export function createMemoryRuns(
  sessions: Pick<SessionStore, 'save' | 'of'>,
  now: () => number = Date.now,
): MemoryRuns {
  let opening: Promise<RunTables> | undefined
  /** There is one connection: what would begin a transaction within another waits. */
  let previous: Promise<unknown> = Promise.resolve()

  const tables = runTablesOver((method, args) => {
    const answer = previous.then(async () => {
      opening ??= openTables(now)
      return callRunsOf(await opening)(method, args)
    })
    previous = answer.catch(() => undefined)
    return answer.catch((cause: unknown) => {
      throw new LllmError('store-unavailable', 'The runs in memory cannot be used.', {}, { cause })
    })
  })
  return {
    runs: createTableRunStore(tables, { changes: localRunChanges(), isShared: false, own: async () => {}, sessions }),
    webhooks: createTableWebhookStore(tables),
  }
}

async function openTables(now: () => number): Promise<RunTables> {
  const database = new DatabaseSync(':memory:', { readBigInts: true })
  const db = new Kysely<RunDatabase & SessionDatabase>({ dialect: createNodeSqliteDialect(database) })
  const provider = sessionMigrations({ clustered: withoutRowId })
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error !== undefined) throw error
  return createSqlRunTables(db, soleDialect(now))
}
