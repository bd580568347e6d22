import { workerData } from 'node:worker_threads'
import { answerCall } from './answer-call.ts'
import type { StoreTables } from './budget-tables.ts'
import { openTurns } from './in-turn.ts'
import { createReopeningTables } from './reopening-tables.ts'
import { openSqliteTables, type SqliteFile } from './sqlite-database.ts'
import { isAboutConnection } from './sqlite-errors.ts'
import type { WorkerRequest, WorkerStart } from './worker-link.ts'

// SQLite works synchronously, and a checkpoint takes tens of milliseconds: in a thread of its own it stops nobody.

const { port, data: file } = workerData as WorkerStart<SqliteFile>
const tables = createReopeningTables(() => openSqliteTables(file), isAboutConnection)

/** There is one connection, and a reader must not see half of a transaction. */
const inTurn = openTurns()

port.on('message', ({ call, method, args }: WorkerRequest<StoreTables>) => {
  void inTurn(async () => port.postMessage({ call, ...(await answerCall(tables, method, args)) }))
})
