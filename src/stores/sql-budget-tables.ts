import type { Kysely, Transaction } from 'kysely'
import type { AllocationChange, AllocationKey, AllocationResult } from '../domain/budget-store.ts'
import type { BudgetTables } from './budget-tables.ts'
import { fromColumnText, toColumnText } from './column-text.ts'

/** Whole numbers come back in the driver's way. */
type Stored = bigint | number | string

/** Times are in ms since 1970. `value` is the value of the tag that has a budget of its own, else an empty text. */
type AllocationTable = {
  readonly budget: string
  readonly value: string
  readonly starts_at: Stored
  readonly ends_at: Stored
  readonly pico_usd: Stored
}

export type BudgetDatabase = {
  readonly budget_allocations: AllocationTable
}

/**
 * The table of allocations in any database that kysely speaks to.
 *
 * @param takeTurns Keeps others out until the end of a transaction, where transactions do not exclude one another by themselves.
 */
export function createSqlBudgetTables(
  db: Kysely<BudgetDatabase>,
  takeTurns: (transaction: Transaction<BudgetDatabase>) => Promise<void> = async () => {},
): BudgetTables {
  return {
    async loadAllocations() {
      const rows = await db.selectFrom('budget_allocations').selectAll().execute()
      return rows.map(({ budget, value, starts_at, pico_usd }) => ({
        budget: fromColumnText(budget),
        value: fromColumnText(value),
        startsAtMs: Number(starts_at),
        picoUsd: BigInt(pico_usd),
      }))
    },
    changeAllocations: (changes) =>
      db.transaction().execute(async (transaction) => {
        await takeTurns(transaction)
        const results: AllocationResult[] = []
        for (const change of changes) results.push(await changeOne(transaction, change))
        return results
      }),
    async forgetAllocations(endedByMs) {
      await db.deleteFrom('budget_allocations').where('ends_at', '<=', endedByMs).execute()
    },
  }
}

async function changeOne(db: Transaction<BudgetDatabase>, change: AllocationChange): Promise<AllocationResult> {
  const key = toColumns(change)
  const row = await db
    .selectFrom('budget_allocations')
    .select('pico_usd')
    .where('budget', '=', key.budget)
    .where('value', '=', key.value)
    .where('starts_at', '=', key.starts_at)
    .executeTakeFirst()
  const picoUsd = BigInt(row?.pico_usd ?? 0)
  if (picoUsd !== change.expectedPicoUsd) return { isChanged: false, picoUsd }
  const next = { pico_usd: change.nextPicoUsd }
  await db
    .insertInto('budget_allocations')
    .values({ ...key, ends_at: change.endsAtMs, ...next })
    .onConflict((conflict) => conflict.columns(['budget', 'value', 'starts_at']).doUpdateSet(next))
    .execute()
  return { isChanged: true, picoUsd: change.nextPicoUsd }
}

function toColumns({ budget, value, startsAtMs }: AllocationKey) {
  return { budget: toColumnText(budget), value: toColumnText(value), starts_at: startsAtMs }
}
