import { answerCall, type TablesAnswer } from './answer-call.ts'
import { openTurns } from './in-turn.ts'
import { createReopeningTables } from './reopening-tables.ts'
import { openSqliteTables, type SqliteFile } from './sqlite-database.ts'
import { isAboutConnection } from './sqlite-errors.ts'
import { openOver, type TablesLink } from './sqlite-session-store.ts'
import { toLllmError } from './worker-link.ts'

/** What a call comes to on its way back. */
type Pass = <Value>(value: Value) => Value

/**
 * Opens a SQLite file with its tables in this thread, for who does one thing and ends: a thread of their own takes a tenth of a second to
 * start. One call after another, as there is one connection.
 *
 * @param pass What arguments and answers go through, which a thread would copy. Left out: they are what they are.
 * @throws LllmError `store-unavailable`, as one that comes from a thread.
 */
export function openSqliteHere(file: SqliteFile, pass: Pass = (value) => value) {
  const tables = createReopeningTables(() => openSqliteTables(file), isAboutConnection)
  const inTurn = openTurns()
  const call: TablesLink['call'] = async (method, ...args) => {
    const answer: TablesAnswer = pass(await inTurn(() => answerCall(tables, method, pass(args))))
    if ('failure' in answer) throw toLllmError(answer.failure)
    return answer.value as never
  }
  return openOver(file.path, { call, takeReplies: () => {}, end: async () => {} })
}
