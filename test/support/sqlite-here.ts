import { openSqliteHere as open } from '../../src/stores/sqlite-here.ts'

/**
 * Opens a SQLite file with its tables in this thread: a thread of their own takes ten times as long to start as most tests take. What goes in
 * and out is copied as it is between threads.
 */
export function openSqliteHere(path: string) {
  return open({ path }, (value) => structuredClone(value))
}
