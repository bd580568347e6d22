import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { LllmError } from '../domain/errors.ts'
import type { RunStore } from '../domain/run-store.ts'
import type { SessionStore } from '../domain/session-store.ts'
import type { WebhookStore } from '../domain/webhook-store.ts'
import { openTurns } from './in-turn.ts'
import { type MemoryRunLimits, openRunBound } from './memory-run-bound.ts'
import { callsOf, overCalls } from './named-methods.ts'
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts'
import type { RetentionTables } from './retention-tables.ts'
import { localRunChanges } from './run-changes.ts'
import { soleDialect } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import { type RunTables, runMethods } from './run-tables.ts'
import { sessionMigrations, withoutRowId } from './sql-migrations.ts'
import { createSqlRunTables } from './sql-run-tables.ts'
import type { SessionDatabase } from './sql-schema.ts'
import { createTableRunStore } from './table-run-store.ts'
import { createTableWebhookStore } from './webhook-tables.ts'

/** Runs, and what goes with them. */
export interface MemoryRuns {
  readonly runs: RunStore
  readonly webhooks: WebhookStore
  /** How what is old of them is removed. */
  readonly cleaning: RetentionTables
}

/**
 * Runs that end with the process: in tables of a database in memory, so that all runs are kept in one way. It is opened when it is first
 * needed. Their sessions are kept where the others are. Of too many runs those that ended first go, with their sessions.
 */
export function createMemoryRuns(
  sessions: Pick<SessionStore, 'save' | 'of'>,
  now: () => number = Date.now,
  limits: MemoryRunLimits = {},
): MemoryRuns {
  let opening: Promise<OpenTables> | undefined
  /** There is one connection: what would begin a transaction within another waits. */
  const inTurn = openTurns()

  async function call(method: keyof RunTables, args: readonly unknown[]): Promise<unknown> {
    opening ??= openTables(now, limits)
    const { opened, bound } = await opening
    const value = await callsOf(opened)(method, args)
    const removed = await bound.afterEnds(countEnds(method, value))
    for (const { id, tenant } of removed) await sessions.of(tenant).delete(id)
    return value
  }

  const tables = overCalls<RunTables>(runMethods, (method, args) =>
    inTurn(() => call(method, args)).catch((cause: unknown) => {
      throw new LllmError('store-unavailable', 'The runs in memory cannot be used.', {}, { cause })
    }),
  )
  return {
    runs: createTableRunStore(tables, { changes: localRunChanges(), isShared: false, own: async () => {}, sessions }),
    webhooks: createTableWebhookStore(tables),
    cleaning: tables,
  }
}

/** How many runs a call may have ended. */
function countEnds(method: keyof RunTables, answer: unknown): number {
  if (method === 'finish' || method === 'cancel') return 1
  if (method !== 'cancelBatch' && method !== 'startTick') return 0
  return (answer as Awaited<ReturnType<RunTables['cancelBatch' | 'startTick']>>)?.cancelled.length ?? 0
}

interface OpenTables {
  readonly opened: RunTables
  readonly bound: Awaited<ReturnType<typeof openRunBound>>
}

/** The tables as they have been made before: another database need not be led through all the steps that they have come by. */
let schema: string | undefined

async function openTables(now: () => number, limits: MemoryRunLimits): Promise<OpenTables> {
  const database = new DatabaseSync(':memory:', { readBigInts: true })
  const db = new Kysely<RunDatabase & SessionDatabase>({ dialect: createNodeSqliteDialect(database) })
  if (schema === undefined) schema = await makeTables(database, db)
  else database.exec(schema)
  return {
    opened: createSqlRunTables(db, soleDialect(now)),
    bound: await openRunBound(database, db as unknown as Kysely<RunDatabase>, limits),
  }
}

/** Gives the SQL that makes the same tables. */
async function makeTables<Tables>(database: DatabaseSync, db: Kysely<Tables>): Promise<string> {
  const provider = sessionMigrations({ clustered: withoutRowId })
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error !== undefined) throw error
  const rows = database.prepare('select sql from sqlite_schema where sql is not null order by rowid').all()
  return rows.map(({ sql }) => `${sql};`).join('\n')
}
