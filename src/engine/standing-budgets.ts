import type { StandingBudget } from '../domain/budget.ts'
import type { BudgetStore } from '../domain/budget-store.ts'
import type { Clock } from '../domain/clock.ts'
import type { Account } from './account.ts'
import { BudgetBook, type BudgetStatus } from './budget-book.ts'
import { createChangeQueue } from './change-queue.ts'
import type { BoundTactic } from './engine.ts'

/** Gives the account that a budget has now. */
export type FindAccount = () => Account

/** The budgets of the operator's settings. They hold for all calls together, also over restarts of the service. */
export interface StandingBudgets {
  /** The budgets that a call of a tactic with these tags spends from. */
  of(tactic: Pick<BoundTactic, 'name' | 'id'>, tags: Readonly<Record<string, string>>): readonly FindAccount[]
  /** In the order of the settings. */
  statuses(): readonly BudgetStatus[]
  /** Gives back what was set aside and not spent. Nothing is spent afterwards. Rejects when the store fails. */
  close(): Promise<void>
}

/**
 * Opens the standing budgets. What the store says was allocated in the current day or month counts as spent: of a process
 * that was killed, nobody knows how much of it its last requests took.
 */
export async function openStandingBudgets(
  budgets: readonly StandingBudget[],
  store: BudgetStore,
  clock: Clock,
): Promise<StandingBudgets> {
  const now = () => clock.now()
  await store.forget(now())
  const allocations = await store.load()
  const change = createChangeQueue(store)
  // Whatever stays behind because the store fails goes with the next window.
  const onWindowEnd = () => void store.forget(now()).catch(() => undefined)
  const books = budgets.map((budget) => new BudgetBook({ budget, now, change, onWindowEnd, allocations }))
  return {
    of: (tactic, tags) =>
      books.flatMap((book) => {
        const value = valueFor(book.budget, tactic, tags)
        return value === undefined ? [] : [() => book.accountOf(value)]
      }),
    statuses: () => books.map((book) => book.status()),
    async close() {
      await Promise.all(books.map((book) => book.giveBack()))
    },
  }
}

/** Under which value a budget keeps what a call spends; undefined: the call is not its business. */
function valueFor(
  { scope }: StandingBudget,
  tactic: Pick<BoundTactic, 'name' | 'id'>,
  tags: Readonly<Record<string, string>>,
): string | undefined {
  switch (scope.kind) {
    case 'total':
      return ''
    case 'tactic':
      return scope.tactic === tactic.name || scope.tactic === tactic.id ? '' : undefined
    case 'tag': {
      const value = Object.hasOwn(tags, scope.key) ? tags[scope.key] : undefined
      if (value === undefined || scope.value === null) return value
      return value === scope.value ? '' : undefined
    }
  }
}
