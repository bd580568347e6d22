import type { StoreTables } from '../../src/stores/budget-tables.ts'
import { sqliteTablesHere } from '../../src/stores/sqlite-here.ts'
import { openOver } from '../../src/stores/sqlite-session-store.ts'

/**
 * Opens a SQLite file with its tables in this thread: a thread of their own takes ten times as long to start as most tests take. What goes in
 * and out is copied as it is between threads.
 */
export function openSqliteHere(path: string) {
  const tables = sqliteTablesHere({ path })
  const copying = new Proxy(tables, {
    get:
      (_, method: keyof StoreTables) =>
      async (...args: readonly unknown[]) => {
        const call = tables[method] as (...given: readonly unknown[]) => Promise<unknown>
        const value = await call(...structuredClone(args))
        // Errors of a batch are made on the other side of a thread, from what came through.
        return method === 'saveAll' ? value : structuredClone(value)
      },
  })
  return openOver(path, copying)
}
