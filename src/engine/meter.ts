import { setImmediate as nextTurn } from 'node:timers/promises'
import { isLllmError } from '../domain/errors.ts'
import type { Amounts, LimitExcess, Limits, Unit } from '../domain/limits.ts'
import { Account } from './account.ts'
import { budgetExceeded, noReservation, type Reservation, reserve } from './reservation.ts'
import type { FindAccount } from './standing-budgets.ts'

/** Something that spends: a call, a batch, or a sub-tactic's call. */
export interface Spender {
  /** How messages call it: `the call of "essay"`. */
  readonly name: string
  readonly limits: Limits
  /** Standing budgets that it spends from. One that something above it spends from as well counts once. */
  readonly budgets?: readonly FindAccount[]
  /** Whether it is a sub-tactic of what is above it, rather than a part of a batch. */
  readonly isSubTactic?: boolean
  /** Whether it may be told how budgets stand that all tenants share. Default: it may. */
  readonly tellsShared?: boolean
  /** Is told of each request, and of each call below, that a limit refuses. */
  readonly onRefusal?: ((excess: LimitExcess) => void) | undefined
}

function openAccount(name: string, { budgetPicoUsd, tokens, llmCalls }: Limits): Account | undefined {
  if (budgetPicoUsd === undefined && tokens === undefined && llmCalls === undefined) return undefined
  return new Account(name, {
    ...(budgetPicoUsd === undefined ? {} : { usd: budgetPicoUsd }),
    ...(tokens === undefined ? {} : { tokens: BigInt(tokens) }),
    ...(llmCalls === undefined ? {} : { llm_calls: BigInt(llmCalls) }),
  })
}

/** Never nothing of what is limited: where nothing is left, it does not fit, and is refused. */
function restOf(accounts: readonly Account[], usdMax: bigint | undefined): Amounts {
  const rest = (unit: Unit, most?: bigint) => {
    const limits = accounts.map((account) => account.leftOf(unit)).filter((left) => left !== undefined)
    if (limits.length === 0) return 0n
    const least = [...limits, ...(most === undefined ? [] : [most])].reduce((left, right) =>
      left < right ? left : right,
    )
    return least > 0n ? least : 1n
  }
  return { usd: rest('usd', usdMax), tokens: rest('tokens'), llm_calls: rest('llm_calls') }
}

interface DepthLimit {
  readonly name: string
  readonly depth: number
  /** Levels of sub-tactics between there and here. */
  readonly levels: number
}

/** Watches over what something takes. It counts against its own limits, and against those of everything above it. */
export class Meter {
  /** Whether a budget holds, so that every request needs a price. */
  readonly limitsMoney: boolean
  /** Whether money or tokens are limited, so that the length of completions has to be. */
  readonly limitsTokens: boolean
  readonly #sources: readonly FindAccount[]
  /** Those of calls and batches, without the standing budgets. */
  readonly #callAccounts: readonly Account[]
  readonly #depthLimits: readonly DepthLimit[]
  readonly #tellsShared: boolean
  readonly #onRefusal: Spender['onRefusal']

  constructor(
    { name, limits, budgets = [], isSubTactic = false, tellsShared = true, onRefusal }: Spender,
    above?: Meter,
  ) {
    this.#tellsShared = tellsShared
    this.#onRefusal = onRefusal
    const { budgetPicoUsd, tokens, depth } = limits
    const own = openAccount(name, limits)
    const accountsAbove = above === undefined ? [] : above.#callAccounts
    this.#callAccounts = own === undefined ? accountsAbove : [own, ...accountsAbove]
    const sources = above === undefined ? budgets : [...above.#sources, ...budgets]
    this.#sources = own === undefined ? sources : [() => own, ...sources]
    this.limitsMoney = budgetPicoUsd !== undefined || budgets.length > 0 || above?.limitsMoney === true
    this.limitsTokens = this.limitsMoney || tokens !== undefined || above?.limitsTokens === true
    const further = isSubTactic ? 1 : 0
    const passedOn = (limit: DepthLimit) => ({ ...limit, levels: limit.levels + further })
    const depthsAbove = above === undefined ? [] : above.#depthLimits.map(passedOn)
    this.#depthLimits = depth === undefined ? depthsAbove : [...depthsAbove, { name, depth, levels: 0 }]
  }

  /** Whether anything is counted at all. */
  get isLimited(): boolean {
    return this.#sources.length > 0
  }

  /** @throws LllmError `budget-exceeded` when it lies deeper than something above it allows. */
  async checkDepth(): Promise<void> {
    const passed = this.#depthLimits.find(({ depth, levels }) => levels > depth)
    if (passed === undefined) return
    const { name, depth } = passed
    // In a turn of its own: a tactic that swallows this and tries again for ever must not keep the process busy.
    await nextTurn()
    const excess = { name, unit: 'depth', limit: depth, spent: depth, reserved: 0, needed: 1 } as const
    this.#onRefusal?.(excess)
    throw budgetExceeded(excess)
  }

  /**
   * Sets aside what a request may take at the most, in all limits or in none.
   *
   * @throws LllmError `budget-exceeded`, `overloaded`, `store-unavailable`; the reason of the signal once that aborts.
   */
  async reserve(worst: Amounts, signal: AbortSignal): Promise<Reservation> {
    if (!this.isLimited) return noReservation
    return reserve(() => this.#accounts(), worst, signal, this.#tellsShared).catch((error: unknown) =>
      this.#refuse(error),
    )
  }

  /**
   * Sets aside all that has not been spent, for something of which nobody knows what it takes: in each limit that there is, and in
   * those of money no more than `usdMax`. It waits for the requests under way.
   *
   * @throws LllmError as `reserve`.
   */
  async reserveRest(usdMax: bigint | undefined, signal: AbortSignal): Promise<Reservation> {
    if (!this.isLimited) return noReservation
    return reserve(
      () => this.#accounts(),
      (accounts) => restOf(accounts, usdMax),
      signal,
      this.#tellsShared,
    ).catch((error: unknown) => this.#refuse(error))
  }

  /**
   * Counts what was taken by a request of an earlier attempt, of which standing budgets know already: they were told before it was sent.
   */
  charge(taken: Amounts): void {
    for (const account of this.#callAccounts) account.addSpent(taken)
  }

  /** Levels of sub-tactics that may lie below; undefined: any number. */
  get depthLeft(): number | undefined {
    const left = this.#depthLimits.map(({ depth, levels }) => depth - levels)
    return left.length === 0 ? undefined : Math.max(0, Math.min(...left))
  }

  #refuse(error: unknown): never {
    if (isLllmError(error) && error.data.budget !== undefined) this.#onRefusal?.(error.data.budget)
    throw error
  }

  #accounts(): readonly Account[] {
    return [...new Set(this.#sources.map((find) => find()))]
  }
}
