import type { StoreTables } from './budget-tables.ts'
import { createReopeningTables } from './reopening-tables.ts'
import { openSqliteTables, type SqliteFile } from './sqlite-database.ts'
import { explainSqliteError, isAboutConnection } from './sqlite-errors.ts'
import { toLllmError } from './worker-link.ts'

/**
 * The tables of a SQLite file in this thread, for who does one thing and ends: a thread of their own takes a tenth of a second to start. One
 * call after another, as there is one connection. Errors are those that come from a thread.
 */
export function sqliteTablesHere(file: SqliteFile): StoreTables {
  const tables = createReopeningTables(() => openSqliteTables(file), isAboutConnection)
  let previous: Promise<unknown> = Promise.resolve()
  return new Proxy(tables, {
    get(_, method: keyof StoreTables) {
      return (...args: readonly unknown[]) => {
        const answer = previous.then(() => call(tables, method, args))
        previous = answer.catch(() => undefined)
        return answer
      }
    },
  })
}

type Refusals = Awaited<ReturnType<StoreTables['saveAll']>>

async function call(tables: StoreTables, method: keyof StoreTables, args: readonly unknown[]): Promise<unknown> {
  try {
    const value = await (tables[method] as (...given: readonly unknown[]) => Promise<unknown>)(...args)
    if (method !== 'saveAll') return value
    return (value as Refusals).map(({ index, error }) => ({ index, error: toStoreError(error) }))
  } catch (error) {
    throw toStoreError(error)
  }
}

function toStoreError(cause: unknown) {
  return toLllmError({ message: explainSqliteError(cause), cause })
}
