import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { minuteSpans, type RateSpans, type RateState, takeShares, unusedRate } from '../domain/rate-ledger.ts'
import type { SharedRates, ShareRequest, Shares } from '../domain/shared-rates.ts'

/** One row a rate. Whoever changes it says which version it has seen. Times are in ms since 1970. */
export type RateDatabase = {
  readonly rates: {
    readonly name: string
    readonly version: number | string
    readonly state: string
    readonly used_at: number | string
  }
}

export interface SharedRateOptions {
  /** Of tests: a minute is long. */
  readonly spans?: RateSpans
  /** Of tests: what tells the time in the database, in ms since 1970. */
  readonly nowMs?: RawBuilder<unknown>
}

interface SeenRow {
  readonly now_ms: number | string
  readonly version: number | string | null
  readonly state: string | null
}

/** Times that a process may be overtaken by others. One of them always gets its shares, so that this many mean a crowd. */
const overtakenMax = 100
/** A rate that was not used for so long has nothing left to count, and makes room. */
const forgottenAfterMs = 3_600_000

/** How often a process looks for those. It reads all of them. */
const forgetEveryMs = 60_000

/** Not `now()`, which stands still in a transaction. */
const databaseTime = sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`

/**
 * Keeps shared rates in rows of PostgreSQL. A row is read with the time, and written if nobody has written it meanwhile: no lock
 * outlives a statement, so that a process that is frozen or cut off holds nobody up.
 *
 * Not by the library rate-limiter-flexible: its windows are fixed, so that twice the limit passes around the border of two, their
 * time is that of each process, what it refuses counts as used, and it knows no order of those who wait.
 */
export function createPostgresSharedRates(
  db: Kysely<RateDatabase>,
  { spans = minuteSpans, nowMs = databaseTime }: SharedRateOptions = {},
): SharedRates {
  async function see(rate: string): Promise<SeenRow> {
    const seen = await sql<SeenRow>`
      select ${nowMs} as now_ms, rates.version, rates.state
      from (select 1) as always left join rates on rates.name = ${rate}`.execute(db)
    return seen.rows[0] ?? { now_ms: 0, version: null, state: null }
  }

  let forgotAtMs = Number.NEGATIVE_INFINITY

  async function forget(nowMs: number) {
    if (nowMs - forgotAtMs < forgetEveryMs) return
    forgotAtMs = nowMs
    await db
      .deleteFrom('rates')
      .where('used_at', '<', nowMs - forgottenAfterMs)
      .execute()
  }

  async function writeFirst(rate: string, state: string, usedAtMs: number): Promise<boolean> {
    await forget(usedAtMs)
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('rates')
      .values({ name: rate, version: 1, state, used_at: usedAtMs })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst()
    return numInsertedOrUpdatedRows === 1n
  }

  async function writeNext(rate: string, seen: number | string, state: string, usedAtMs: number): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('rates')
      .set({ version: sql`version + 1`, state, used_at: usedAtMs })
      .where('name', '=', rate)
      .where('version', '=', seen)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }

  async function take(request: ShareRequest): Promise<Shares> {
    const { rate } = request
    for (let overtaken = 0; overtaken < overtakenMax; overtaken++) {
      const seen = await see(rate)
      const atMs = Number(seen.now_ms)
      const { state, shares } = takeShares(readState(seen.state), request, atMs, spans)
      const text = writeState(state)
      const isWritten =
        seen.version === null ? await writeFirst(rate, text, atMs) : await writeNext(rate, seen.version, text, atMs)
      if (isWritten) return shares
    }
    throw new LllmError('store-unavailable', 'Too many processes ask for shares of one rate at the same time.')
  }

  return {
    async take(request) {
      try {
        return await take(request)
      } catch (cause) {
        if (isLllmError(cause)) throw cause
        const message = 'The database does not count what processes use of a rate together. The log has the cause.'
        throw new LllmError('store-unavailable', message, {}, { cause })
      }
    },
  }
}

type StateColumn = readonly [cells: [number, number, number][], turns: [string, number][]]

/** As short as can be: a row that is written often had better stay in its page. */
function writeState({ cells, turns }: RateState): string {
  const column: StateColumn = [
    cells.map(({ cell, requests, tokens }) => [cell, requests, tokens]),
    turns.map(({ queue, atMs }) => [queue, atMs]),
  ]
  return JSON.stringify(column)
}

function readState(column: string | null): RateState {
  if (column === null) return unusedRate
  const [cells, turns] = JSON.parse(column) as StateColumn
  return {
    cells: cells.map(([cell, requests, tokens]) => ({ cell, requests, tokens })),
    turns: turns.map(([queue, atMs]) => ({ queue, atMs })),
  }
}
