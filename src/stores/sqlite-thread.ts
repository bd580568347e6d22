import { parentPort, workerData } from 'node:worker_threads'
import type { StoreTables } from './budget-tables.ts'
import { createReopeningTables } from './reopening-tables.ts'
import { openSqliteTables, type SqliteFile } from './sqlite-database.ts'
import { explainSqliteError, isAboutConnection } from './sqlite-errors.ts'
import type { WorkerFailure, WorkerReply, WorkerRequest } from './worker-link.ts'

// SQLite works synchronously, and a checkpoint takes tens of milliseconds: in a thread of its own it stops nobody.

const file = workerData as SqliteFile
const tables = createReopeningTables(() => openSqliteTables(file), isAboutConnection)

/** One after another: there is one connection, and a reader must not see half of a transaction. */
let previous: Promise<void> = Promise.resolve()

parentPort?.on('message', (request: WorkerRequest<StoreTables>) => {
  previous = previous.then(async () => parentPort?.postMessage(await answer(request)))
})

async function answer({ call, method, args }: WorkerRequest<StoreTables>): Promise<WorkerReply> {
  try {
    const run = tables[method] as (...given: readonly unknown[]) => Promise<unknown>
    const value = await run(...args)
    return { call, value: method === 'saveAll' ? (value as SaveRefusals).map(tellRefusal) : value }
  } catch (error) {
    return { call, failure: toFailure(error) }
  }
}

type SaveRefusals = Awaited<ReturnType<StoreTables['saveAll']>>

function tellRefusal({ index, error }: SaveRefusals[number]) {
  return { index, error: toFailure(error) }
}

function toFailure(cause: unknown): WorkerFailure {
  return { message: explainSqliteError(cause), cause }
}
