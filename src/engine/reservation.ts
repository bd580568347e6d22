import { LllmError } from '../domain/errors.ts'
import { type Amounts, type LimitExcess, type LimitFigures, noAmounts } from '../domain/limits.ts'
import type { Account, Waiting } from './account.ts'

/** What was set aside for one request to a model. */
export interface Reservation {
  readonly amounts: Amounts
  /** Says, exactly once, what the request took. Units that are left out are not known: all that was reserved counts as spent. */
  settle(spent: Partial<Amounts>): void
}

export const noReservation: Reservation = { amounts: noAmounts, settle() {} }

/** What a request needs, where that depends on what there is. */
export type NeedsOf = (accounts: readonly Account[]) => Amounts

/**
 * Sets amounts aside in several accounts at once, or in none. Where they would only fit if the requests under way took less
 * than was reserved for them, it waits for those, in line; so a budget is used up to its end before anybody is refused.
 *
 * Nothing is held while it waits, and between the look and the taking there is no `await`: no other request can slip in.
 *
 * @param findAccounts Gives the accounts as they are now: a standing budget has a new one each day.
 * @param tellsShared Whether a refusal tells how an account stands that all tenants share.
 * @throws LllmError `budget-exceeded`, `overloaded`, `store-unavailable`; the reason of the signal once that aborts.
 */
export function reserve(
  findAccounts: () => readonly Account[],
  needs: Amounts | NeedsOf,
  signal: AbortSignal,
  tellsShared = true,
): Promise<Reservation> {
  const needsOf = typeof needs === 'function' ? needs : () => needs
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const request = new Request({ findAccounts, needsOf, signal, tellsShared }, resolve, reject)
    request.attempt()
  })
}

interface Asked {
  readonly findAccounts: () => readonly Account[]
  readonly needsOf: NeedsOf
  readonly signal: AbortSignal
  readonly tellsShared: boolean
}

class Request implements Waiting {
  readonly #asked: Asked
  #amounts = noAmounts
  readonly #resolve: (reservation: Reservation) => void
  readonly #reject: (reason: unknown) => void
  #waitsAt: Account | undefined
  #hasEnded = false

  constructor(asked: Asked, resolve: (reservation: Reservation) => void, reject: (reason: unknown) => void) {
    this.#asked = asked
    this.#resolve = resolve
    this.#reject = reject
    asked.signal.addEventListener('abort', this)
  }

  /** The signal aborted. */
  handleEvent(): void {
    const left = this.#waitsAt
    this.#fail(this.#asked.signal.reason)
    left?.leave(this)
  }

  attempt(): boolean {
    if (this.#hasEnded) return true
    try {
      return this.#tryOnce()
    } catch (error) {
      this.#fail(error)
      return true
    }
  }

  #tryOnce(): boolean {
    const { findAccounts, needsOf, tellsShared } = this.#asked
    const accounts = findAccounts()
    const amounts = needsOf(accounts)
    this.#amounts = amounts
    for (const account of accounts) {
      const excess = account.excessOf(amounts)
      if (excess === undefined) continue
      this.#fail(account.isShared && !tellsShared ? sharedBudgetExceeded(excess) : budgetExceeded(excess))
      return true
    }
    const full = accounts.find((account) => !account.hasRoomFor(amounts, this))
    if (full !== undefined) {
      if (full === this.#waitsAt) return false
      full.join(this)
      this.#waitsAt = full
      return true
    }
    this.#waitsAt = undefined
    const notAllowedYet = accounts.filter((account) => !account.isAllowedNow(amounts))
    if (notAllowedYet.length > 0) void this.#allow(notAllowedYet)
    else this.#take(accounts)
    return true
  }

  async #allow(accounts: readonly Account[]): Promise<void> {
    try {
      await Promise.all(accounts.map((account) => account.allow(this.#amounts)))
      this.attempt()
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(accounts: readonly Account[]): void {
    const reserved = this.#amounts
    for (const account of accounts) account.reserve(reserved)
    let isSettled = false
    this.#end()
    this.#resolve({
      amounts: reserved,
      settle(known) {
        if (isSettled) throw new Error('A reservation is settled once.')
        isSettled = true
        const spent = { ...reserved, ...known }
        for (const account of accounts) account.settle(reserved, spent)
        for (const account of accounts) account.wake()
      },
    })
  }

  #fail(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  #end(): void {
    this.#hasEnded = true
    this.#waitsAt = undefined
    this.#asked.signal.removeEventListener('abort', this)
  }
}

/** How much of a limit there is, in words. */
const unitWords: Readonly<Record<LimitExcess['unit'], (amount: number) => string>> = {
  usd: (amount) => `$${amount}`,
  tokens: (amount) => `${amount} tokens`,
  llm_calls: (amount) => `${amount} requests to models`,
  depth: (amount) => `${amount} levels of sub-tactics`,
}

export function budgetExceeded(excess: LimitExcess & LimitFigures): LllmError {
  const { name, unit, limit, spent, reserved, needed } = excess
  const tell = unitWords[unit]
  const message =
    unit === 'depth'
      ? `The limit of ${name} is ${tell(limit)}, and this would be one more.`
      : `The limit of ${name} is ${tell(limit)}: ${tell(spent)} are spent, ${tell(reserved)} are reserved for requests under way, and the next one may take up to ${tell(needed)}.`
  return new LllmError('budget-exceeded', message, { budget: excess })
}

/** For those who are not to know what others have spent. */
function sharedBudgetExceeded({ name, unit }: LimitExcess): LllmError {
  const message = `The limit of ${name}, which all tenants share, could be passed.`
  return new LllmError('budget-exceeded', message, { budget: { name, unit } })
}
