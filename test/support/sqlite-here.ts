import type { StoreTables } from '../../src/stores/budget-tables.ts'
import { createReopeningTables } from '../../src/stores/reopening-tables.ts'
import { openSqliteTables } from '../../src/stores/sqlite-database.ts'
import { explainSqliteError, isAboutConnection } from '../../src/stores/sqlite-errors.ts'
import { openOver } from '../../src/stores/sqlite-session-store.ts'
import { toLllmError } from '../../src/stores/worker-link.ts'

/**
 * Opens a SQLite file with its tables in this thread: a thread of their own takes ten times as long to start as most tests take. What goes in
 * and out is copied as it is between threads, one call after another, and errors are told in the same words.
 */
export function openSqliteHere(path: string) {
  const tables = createReopeningTables(() => openSqliteTables({ path }), isAboutConnection)
  let previous: Promise<unknown> = Promise.resolve()

  const inTurn = (method: keyof StoreTables, args: readonly unknown[]) => {
    const answer = previous.then(() => answerAs(tables, method, structuredClone(args)))
    previous = answer.catch(() => undefined)
    return answer
  }
  const copying = new Proxy(tables, {
    get:
      (_, method) =>
      (...args: readonly unknown[]) =>
        inTurn(method as keyof StoreTables, args),
  })
  return openOver(path, copying)
}

type Refusals = Awaited<ReturnType<StoreTables['saveAll']>>

async function answerAs(tables: StoreTables, method: keyof StoreTables, args: readonly unknown[]): Promise<unknown> {
  try {
    const value = await (tables[method] as (...given: readonly unknown[]) => Promise<unknown>)(...args)
    if (method !== 'saveAll') return structuredClone(value)
    return (value as Refusals).map(({ index, error }) => ({ index, error: toStoreError(error) }))
  } catch (error) {
    throw toStoreError(error)
  }
}

function toStoreError(cause: unknown) {
  return toLllmError({ message: explainSqliteError(cause), cause })
}
