import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { advisoryLocks } from './advisory-locks.ts'
import type { RunDatabase } from './run-schema.ts'

export type RunTransaction = Transaction<RunDatabase>

/** What databases do not have alike, as far as runs are concerned. */
export interface RunDialect {
  /** Whether several processes work on the runs at once. Where one works alone, what another has left is free at once. */
  readonly isShared: boolean
  /** What tells the time, in ms since 1970. */
  nowMs(): RawBuilder<number>
  /** Has those who start runs take turns, so that none is started twice, and no more than may be at once. */
  takeTurns(transaction: RunTransaction): Promise<void>
  /** Whether nobody else removes what is old until the end of the transaction. */
  takesCleaning(transaction: RunTransaction): Promise<boolean>
  /** Does work in whose course what is removed is overwritten as well, as far as the database does that. */
  erasing(transaction: RunTransaction, work: () => Promise<void>): Promise<void>
}

/** A database of one process, whose transactions take turns by themselves. */
export function soleDialect(now: () => number): RunDialect {
  return {
    isShared: false,
    nowMs: () => sql`${now()}`,
    takeTurns: async () => {},
    takesCleaning: async () => true,
    async erasing(transaction, work) {
      // It costs writes, which other changes need not pay.
      await sql`pragma secure_delete = on`.execute(transaction)
      await work().finally(() => sql`pragma secure_delete = fast`.execute(transaction))
    },
  }
}

/** A PostgreSQL, whose clock all processes have in common. */
export function sharedDialect(nowMs: RunDialect['nowMs']): RunDialect {
  return {
    isShared: true,
    nowMs,
    takeTurns: async (transaction) =>
      void (await sql`select pg_advisory_xact_lock(${advisoryLocks.claims})`.execute(transaction)),
    async takesCleaning(transaction) {
      const lock = sql<{
        readonly taken: boolean
      }>`select pg_try_advisory_xact_lock(${advisoryLocks.cleaning}) as taken`
      return (await lock.execute(transaction)).rows[0]?.taken === true
    },
    // Rows that were removed stay where they were until PostgreSQL cleans up by itself.
    erasing: (_transaction, work) => work(),
  }
}

/** The time of the storage as a number. */
export async function readNow(db: Kysely<RunDatabase>, { nowMs }: RunDialect): Promise<number> {
  const { rows } = await sql<{ readonly now: bigint | number | string }>`select ${nowMs()} as now`.execute(db)
  return Number(rows[0]?.now)
}
