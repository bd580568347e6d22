import type { StandingBudget } from '../domain/budget.ts'
import type { BudgetStore } from '../domain/budget-store.ts'
import type { KeyBudget } from '../domain/caller.ts'
import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { toPicoUsd } from '../domain/limits.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { Account } from './account.ts'
import { BudgetBook, type BudgetStatus } from './budget-book.ts'
import { createChangeQueue } from './change-queue.ts'
import type { BoundTactic } from './engine.ts'

/** Gives the account that a budget has now. */
export type FindAccount = () => Account

/** Keys whose budgets are kept apart at once. */
const keysMax = 100_000

/** Whose call it is, as far as money is concerned. */
export interface Payer {
  readonly tenant?: string | undefined
  readonly keyBudget?: KeyBudget | undefined
}

/** The budgets of the operator's settings, and those of keys. They hold for all calls together, also over restarts of the service. */
export interface StandingBudgets {
  /** The budgets that a call of a tactic with these tags spends from. */
  of(
    tactic: Pick<BoundTactic, 'name' | 'id'>,
    tags: Readonly<Record<string, string>>,
    payer?: Payer,
  ): readonly FindAccount[]
  /** In the order of the settings, and then those of keys that were used since the start. */
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
  const open = (budget: StandingBudget) => new BudgetBook({ budget, now, change, onWindowEnd, allocations })
  const books = budgets.map(open)
  const keyBooks = new Map<string, BudgetBook>()
  const all = () => [...books, ...keyBooks.values()]

  /** What others have allocated since the start comes to light with the first change. */
  function bookOf({ account, limitUsd, per }: KeyBudget, tenant: string): BudgetBook {
    const name = `${account} ${per} ${limitUsd}`
    const known = keyBooks.get(name)
    if (known !== undefined) return known
    if (keyBooks.size >= keysMax)
      throw new LllmError('overloaded', `At most ${keysMax} keys have budgets of their own.`)
    const scope = { kind: 'key', account } as const
    const book = open({ scope, tenant, limitPicoUsd: toPicoUsd(limitUsd), per })
    keyBooks.set(name, book)
    return book
  }

  return {
    of(tactic, tags, { tenant = defaultTenant, keyBudget } = {}) {
      const found = books.flatMap((book) => {
        const value = valueFor(book.budget, tactic, tags, tenant)
        return value === undefined ? [] : [() => book.accountOf(value)]
      })
      return keyBudget === undefined ? found : [...found, () => bookOf(keyBudget, tenant).accountOf('')]
    },
    statuses: () => all().map((book) => book.status()),
    async close() {
      await Promise.all(all().map((book) => book.giveBack()))
    },
  }
}

/** Under which value a budget keeps what a call spends; undefined: the call is not its business. */
function valueFor(
  { scope, tenant: only }: StandingBudget,
  tactic: Pick<BoundTactic, 'name' | 'id'>,
  tags: Readonly<Record<string, string>>,
  tenant: string,
): string | undefined {
  if (only !== undefined && only !== tenant) return undefined
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
    case 'key':
      return undefined
  }
}
