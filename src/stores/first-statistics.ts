import { type Kysely, sql } from 'kysely'

/** By then a plan that was made for a table of which nothing is known does not fit any more. */
const rowsBeforeFirst = 1_000
const looksMax = 3

/**
 * Has PostgreSQL look at tables as soon as this process has filled them, and again when they are ten times as large. By itself it looks once a
 * minute; until then it takes a list for one of a few rows, which it reads as a whole and sorts. Later its own looks are often enough.
 *
 * Gives what is told how many rows were added. It never throws, and nobody waits for it.
 */
export function openFirstStatistics(db: Kysely<unknown>, tables: readonly string[]): (rows: number) => void {
  let added = 0
  let looks = 0
  let dueAt = rowsBeforeFirst
  return (rows) => {
    added += rows
    if (added < dueAt || looks === looksMax) return
    looks += 1
    dueAt = added * 10
    const names = sql.join(tables.map((table) => sql.table(table)))
    // Whoever may not look at them has to do with what PostgreSQL finds out by itself.
    void sql`analyze ${names}`.execute(db).catch(() => undefined)
  }
}
