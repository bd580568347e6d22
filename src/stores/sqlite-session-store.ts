import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { createTableBudgetStore, type StoreTables, type StoreWithBudgets } from './budget-tables.ts'
import { createFileOwner } from './file-owner.ts'
import { createTableIdempotencyStore } from './idempotency-tables.ts'
import { keyMethods } from './key-tables.ts'
import { overCalls } from './named-methods.ts'
import { createTableRetentionStore } from './retention-tables.ts'
import { localRunChanges } from './run-changes.ts'
import { runMethods } from './run-tables.ts'
import type { SqliteFile } from './sqlite-database.ts'
import { createTableRunStore } from './table-run-store.ts'
import { createTableStore } from './table-store.ts'
import { createTableWebhookStore } from './webhook-tables.ts'
import { createWorkerLink, toLllmError, type WorkerFailure } from './worker-link.ts'

/** As this file runs, so does the worker: from source as `.ts`, compiled as `.js`. */
const workerFile = new URL(`./sqlite-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url)

/**
 * Opens a SQLite database as a session store. The file and its folders are made if they are not there.
 *
 * @throws LllmError `store-unavailable` when the file cannot be opened, is no database of this program, or is of a newer
 *   version. Its message names the file.
 */
export async function openSqliteSessionStore(file: SqliteFile): Promise<StoreWithBudgets> {
  return openOver(file.path, createWorkerLink<ThreadTables>(workerFile, file))
}

/** What leads to the tables of a file, in this thread or in another. */
export type TablesLink = ReturnType<typeof createWorkerLink<ThreadTables>>

/** What is asked of the other thread. */
export type ThreadTables = Omit<StoreTables, 'takeReplies'>

/** The stores of a file whose tables are at the other end of a link. Rejects as {@link openSqliteSessionStore}. */
export async function openOver(path: string, link: TablesLink): Promise<StoreWithBudgets> {
  const tables = createLinkedTables(link)
  try {
    await tables.ping()
  } catch (error) {
    await tables.close().catch(() => undefined)
    const reason = isLllmError(error) ? error.message : 'It cannot be opened.'
    throw new LllmError('store-unavailable', `The database ${path}: ${reason}`, { file: path }, { cause: error })
  }
  const owner = createFileOwner(path)
  const store = createTableStore('sqlite', tables)
  const runTables = overCalls(runMethods, tables.callRuns)
  return {
    ...store,
    async close() {
      try {
        await store.close()
      } finally {
        owner.release()
      }
    },
    runs: createTableRunStore(runTables, {
      changes: localRunChanges(),
      isShared: false,
      own: () => owner.own(),
    }),
    webhooks: createTableWebhookStore(runTables),
    keys: overCalls(keyMethods, tables.callKeys),
    retention: createTableRetentionStore(runTables),
    budgets: createTableBudgetStore(tables),
    // Of the processes that had the file before, none is left: there is one at a time.
    idempotency: createTableIdempotencyStore(tables, { owner: randomUUID(), isShared: false }),
  }
}

function createLinkedTables(link: TablesLink): StoreTables {
  return {
    async saveAll(batch) {
      const refusals = await link.call('saveAll', batch)
      return refusals.map(({ index, error }) => ({ index, error: toLllmError(error as WorkerFailure) }))
    },
    recordOf: (tenant, id) => link.call('recordOf', tenant, id),
    findIds: (tenant, prefix, limit) => link.call('findIds', tenant, prefix, limit),
    delete: (tenant, id) => link.call('delete', tenant, id),
    list: (tenant, filter, limit, after) => link.call('list', tenant, filter, limit, after),
    costOf: (tenant, id) => link.call('costOf', tenant, id),
    costs: (tenant, filter, groupBy) => link.call('costs', tenant, filter, groupBy),
    sumCosts: (tenant, filter, groupBy) => link.call('sumCosts', tenant, filter, groupBy),
    loadAllocations: () => link.call('loadAllocations'),
    changeAllocations: (changes) => link.call('changeAllocations', changes),
    forgetAllocations: (endedByMs) => link.call('forgetAllocations', endedByMs),
    claimKey: (request, owner) => link.call('claimKey', request, owner),
    completeKey: (use, answer) => link.call('completeKey', use, answer),
    releaseKey: (use) => link.call('releaseKey', use),
    beatKeys: (owner) => link.call('beatKeys', owner),
    forgetKeys: (limit) => link.call('forgetKeys', limit),
    callRuns: (method, args) => link.call('callRuns', method, args),
    callKeys: (method, args) => link.call('callKeys', method, args),
    takeReplies: link.takeReplies,
    ping: () => link.call('ping'),
    async close() {
      try {
        await link.call('close')
      } finally {
        await link.end()
      }
    },
  }
}
