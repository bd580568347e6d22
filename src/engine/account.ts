import { LllmError } from '../domain/errors.ts'
import {
  type Amounts,
  type LimitExcess,
  type LimitFigures,
  noAmounts,
  toShownAmount,
  type Unit,
  units,
} from '../domain/limits.ts'

/** Requests that may wait at one account for those before them to end. */
const waitingMax = 10_000

/** Says how much of an account's money may be used by now, where that has to be written down before it is spent. */
export interface Allowance {
  /** Whether so much may be spent and reserved together. */
  covers(usd: bigint): boolean
  /** Resolves when it covers so much, or when something has changed that makes it worth to look again. */
  raise(usd: bigint): Promise<void>
  /** Is told that something has been settled, so that less may be enough. */
  lower(): void
}

/** Something that waits for room in an account. */
export interface Waiting {
  /** Tries to go on. False: there is still no room here, and it stays the first in the line. */
  attempt(): boolean
}

/** What some limits allow, what was spent of it, and what is reserved for requests under way. Spent and reserved never pass a limit. */
export class Account {
  /** How messages call it: `the call of "essay"`. */
  readonly name: string
  /** Whether the calls of all tenants spend from it. */
  readonly isShared: boolean
  readonly #limits: Partial<Amounts>
  readonly #allowance: Allowance | undefined
  #spent: Amounts = noAmounts
  #reserved: Amounts = noAmounts
  readonly #line: Waiting[] = []

  constructor(name: string, limits: Partial<Amounts>, allowance?: Allowance, isShared = false) {
    this.name = name
    this.isShared = isShared
    this.#limits = limits
    this.#allowance = allowance
  }

  get spent(): Amounts {
    return this.#spent
  }
  get reserved(): Amounts {
    return this.#reserved
  }

  /** The limit that would be passed even if all requests under way turned out to cost nothing; there is no use in waiting. */
  excessOf(amounts: Amounts): (LimitExcess & LimitFigures) | undefined {
    const unit = units.find((candidate) => this.#isOver(candidate, this.#spent[candidate] + amounts[candidate]))
    if (unit === undefined) return undefined
    const shown = (amount: bigint) => toShownAmount(unit, amount)
    return {
      name: this.name,
      unit,
      limit: shown(this.#limits[unit] ?? 0n),
      spent: shown(this.#spent[unit]),
      reserved: shown(this.#reserved[unit]),
      needed: shown(amounts[unit]),
    }
  }

  /** What has not been spent of a limit, reserved or not; undefined: it is not limited. */
  leftOf(unit: Unit): bigint | undefined {
    const limit = this.#limits[unit]
    return limit === undefined ? undefined : limit - this.#spent[unit]
  }

  /** Whether amounts fit beside what is reserved, and nobody else is to go first. */
  hasRoomFor(amounts: Amounts, asker: Waiting): boolean {
    if (this.#line.length > 0 && this.#line[0] !== asker) return false
    return !units.some((unit) => this.#isOver(unit, this.#spent[unit] + this.#reserved[unit] + amounts[unit]))
  }

  isAllowedNow({ usd }: Amounts): boolean {
    return this.#allowance === undefined || this.#allowance.covers(this.#usedUsd() + usd)
  }

  async allow({ usd }: Amounts): Promise<void> {
    await this.#allowance?.raise(this.#usedUsd() + usd)
  }

  /** Sets amounts aside. There has to be room. */
  reserve(amounts: Amounts): void {
    this.#reserved = add(this.#reserved, amounts)
  }

  /** Puts what was spent in the place of what was reserved for it. */
  settle(reserved: Amounts, spent: Amounts): void {
    this.#reserved = add(this.#reserved, reserved, -1n)
    this.#spent = add(this.#spent, spent)
    this.#allowance?.lower()
  }

  /** Counts what was spent elsewhere, or before. */
  addSpent(spent: Partial<Amounts>): void {
    this.#spent = add(this.#spent, { ...noAmounts, ...spent })
  }

  /** Lets those in the line go on that can, in their order. */
  wake(): void {
    while (this.#line[0]?.attempt()) this.#line.shift()
  }

  /** @throws LllmError `overloaded` when the line is full. */
  join(waiting: Waiting): void {
    if (this.#line.length >= waitingMax) {
      throw new LllmError('overloaded', `More than ${waitingMax} requests wait for room in ${this.name}.`)
    }
    this.#line.push(waiting)
  }

  leave(waiting: Waiting): void {
    const place = this.#line.indexOf(waiting)
    if (place === -1) return
    this.#line.splice(place, 1)
    if (place === 0) this.wake()
  }

  #isOver(unit: Unit, amount: bigint): boolean {
    const limit = this.#limits[unit]
    return limit !== undefined && amount > limit
  }

  #usedUsd(): bigint {
    return this.#spent.usd + this.#reserved.usd
  }
}

function add(left: Amounts, right: Amounts, sign = 1n): Amounts {
  return {
    usd: left.usd + sign * right.usd,
    tokens: left.tokens + sign * right.tokens,
    llm_calls: left.llm_calls + sign * right.llm_calls,
  }
}
