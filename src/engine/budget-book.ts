import { type BudgetWindow, budgetId, budgetName, type StandingBudget, windowAt } from '../domain/budget.ts'
import type { Allocation, AllocationChange, AllocationResult } from '../domain/budget-store.ts'
import { LllmError } from '../domain/errors.ts'
import { Account } from './account.ts'
import { type DurableAllowance, openDurableAllowance } from './durable-allowance.ts'

/** Values of a tag that a budget keeps apart in one window. */
const valuesMax = 100_000
/** Values that are shown. */
const valuesShownMax = 100

export interface SpentBudget {
  readonly spentPicoUsd: bigint
  readonly reservedPicoUsd: bigint
}

/** How a standing budget stands in its current window. */
export interface BudgetStatus extends SpentBudget {
  readonly budget: StandingBudget
  readonly window: BudgetWindow
  /** Where each value of a tag has a budget of its own: those that were used, the largest spender first, 100 at most. */
  readonly values: readonly (SpentBudget & { readonly value: string })[]
  /** How many values were used. */
  readonly valueCount: number
}

export interface BudgetBookParts {
  readonly budget: StandingBudget
  now(): number
  change(change: AllocationChange): Promise<AllocationResult>
  /** Is told that windows have ended whose allocations nobody needs any more. */
  onWindowEnd(): void
  /** What the store holds of all budgets. */
  readonly allocations: readonly Allocation[]
}

interface Entry {
  readonly account: Account
  readonly allowance: DurableAllowance
}

/** The accounts of one standing budget in its current window: one for each value of its tag, or a single one, whose value is ''. */
export class BudgetBook {
  readonly budget: StandingBudget
  readonly #parts: BudgetBookParts
  #window: BudgetWindow
  #entries = new Map<string, Entry>()

  constructor(parts: BudgetBookParts) {
    this.budget = parts.budget
    this.#parts = parts
    this.#window = windowAt(parts.budget.per, parts.now())
    const id = budgetId(parts.budget)
    for (const { budget, value, startsAtMs, picoUsd } of parts.allocations) {
      if (budget === id && startsAtMs === this.#window.startsAtMs) this.#open(value, picoUsd)
    }
  }

  /** @throws LllmError `overloaded` when there are more values than are kept. */
  accountOf(value: string): Account {
    this.#turnPage()
    const known = this.#entries.get(value)
    if (known !== undefined) return known.account
    if (this.#entries.size >= valuesMax) {
      const { endsAtMs } = this.#window
      throw new LllmError('overloaded', `${budgetName(this.budget, value)} keeps at most ${valuesMax} values.`, {
        retryAfterMs: endsAtMs - this.#parts.now(),
      })
    }
    return this.#open(value, 0n).account
  }

  status(): BudgetStatus {
    this.#turnPage()
    const values = [...this.#entries].map(([value, { account }]) => ({
      value,
      spentPicoUsd: account.spent.usd,
      reservedPicoUsd: account.reserved.usd,
    }))
    const sum = (pick: (one: SpentBudget) => bigint) => values.reduce((total, one) => total + pick(one), 0n)
    const isByValue = this.budget.scope.kind === 'tag' && this.budget.scope.value === null
    return {
      budget: this.budget,
      window: this.#window,
      spentPicoUsd: sum(({ spentPicoUsd }) => spentPicoUsd),
      reservedPicoUsd: sum(({ reservedPicoUsd }) => reservedPicoUsd),
      values: isByValue ? largest(values) : [],
      valueCount: isByValue ? values.length : 0,
    }
  }

  /** Rejects when the store fails. */
  async giveBack(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ allowance }) => allowance.giveBack()))
  }

  /** A new window begins with nothing spent. Requests under way are settled where they were reserved. */
  #turnPage() {
    const nowMs = this.#parts.now()
    if (nowMs >= this.#window.startsAtMs && nowMs < this.#window.endsAtMs) return
    this.#window = windowAt(this.budget.per, nowMs)
    this.#entries = new Map()
    this.#parts.onWindowEnd()
  }

  #open(value: string, allocatedPicoUsd: bigint): Entry {
    const { limitPicoUsd } = this.budget
    const allowance = openDurableAllowance({
      key: { budget: budgetId(this.budget), value, ...this.#window },
      limitPicoUsd,
      allocatedPicoUsd,
      change: this.#parts.change,
      usedPicoUsd: () => account.spent.usd + account.reserved.usd,
      onSpentElsewhere: (picoUsd) => account.addSpent({ usd: picoUsd }),
    })
    const account = new Account(
      budgetName(this.budget, value),
      { usd: limitPicoUsd },
      allowance,
      this.budget.tenant === undefined,
    )
    account.addSpent({ usd: allocatedPicoUsd })
    const entry = { account, allowance }
    this.#entries.set(value, entry)
    return entry
  }
}

/** In one pass: there may be very many, and a sort of all of them would hold everybody up. */
function largest<Value extends SpentBudget>(values: readonly Value[]): readonly Value[] {
  const top: Value[] = []
  for (const value of values) {
    const last = top.at(-1)
    if (top.length >= valuesShownMax && last !== undefined && value.spentPicoUsd <= last.spentPicoUsd) continue
    const place = top.findIndex(({ spentPicoUsd }) => spentPicoUsd < value.spentPicoUsd)
    top.splice(place === -1 ? top.length : place, 0, value)
    if (top.length > valuesShownMax) top.pop()
  }
  return top
}
