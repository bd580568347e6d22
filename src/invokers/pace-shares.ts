import { randomUUID } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { ProviderError } from '../domain/invoker.ts'
import type { RateLimits, ShareCorrection, SharedRates, Shares } from '../domain/shared-rates.ts'

/** A rate that other processes use as well. */
export interface SharedRate {
  readonly rates: SharedRates
  readonly rate: string
  readonly limits: RateLimits
}

/** Requests for which shares are taken at once. */
export const sharesPerTakeMax = 1_000
/** While the storage fails, it is asked again after this time, which doubles, less a random half of it. */
const backoff = { firstMs: 100, longestMs: 5_000 } as const
/** How long requests wait for a storage that fails. Then nothing is sent, since the limit would not be known to hold. */
export const storeOutageMaxMs = 30_000

const uncountable =
  'The limits of this model hold for several processes together, and the database that counts for them does not answer.'

interface HeldShare {
  readonly cell: number
  readonly validUntilMs: number
}

interface Owner<Waiter> {
  /** All requests that wait, in their order. */
  readonly waiting: ReadonlySet<Waiter>
  /** There may be more to do. */
  onChange(): void
  /** The storage has failed for so long that nobody should wait for it any more. */
  onOutage(refusal: ProviderError): void
}

/**
 * Takes shares of a rate for the requests to one model of this process. One question is under way at most: who waits meanwhile is
 * asked for by the next, and so are all corrections, so that a thousand requests are few transactions.
 */
export class PaceShares<Waiter extends { readonly tokens: number }> {
  readonly #shared: SharedRate
  readonly #clock: Clock
  readonly #owner: Owner<Waiter>
  readonly #queue = randomUUID()
  readonly #held = new Map<Waiter, HeldShare>()
  /** By cells, which are few: what is older than the window is not granted any more. */
  #corrections = new Map<number, ShareCorrection>()
  #isAsking = false
  #askAgainAtMs = 0
  /** Who was told to wait; in the storage, the queue has a turn then. */
  #first: Waiter | undefined
  #failures = 0
  #failingSinceMs = 0

  constructor(shared: SharedRate, clock: Clock, owner: Owner<Waiter>) {
    this.#shared = shared
    this.#clock = clock
    this.#owner = owner
  }

  /** Uses the share that was taken for a request, to send it now. @returns Its cell; undefined: there is none. */
  use(waiter: Waiter, nowMs: number): number | undefined {
    const share = this.#held.get(waiter)
    if (share === undefined) return undefined
    if (nowMs >= share.validUntilMs) {
      this.giveBack(waiter)
      return undefined
    }
    this.#held.delete(waiter)
    return share.cell
  }

  /** The request will not be sent, or not in time. */
  giveBack(waiter: Waiter): void {
    const share = this.#held.get(waiter)
    this.#held.delete(waiter)
    if (share !== undefined) this.#correct({ cell: share.cell, requests: -1, tokens: -waiter.tokens })
  }

  /** A request used more tokens than were taken, or fewer. */
  correctTokens(cell: number, difference: number): void {
    if (this.#shared.limits.tokens !== undefined && difference !== 0) {
      this.#correct({ cell, requests: 0, tokens: difference })
    }
  }

  /**
   * Asks for shares for so many of the requests that wait, of which the first has none. 0: tells only what has to be told.
   *
   * @returns Milliseconds until it has to be called again; Infinity: the owner will be told.
   */
  ask(count: number, nowMs: number): number {
    if (this.#isAsking) return Infinity
    const { waiting } = this.#owner
    const first = count === 0 ? undefined : waiting.values().next().value
    const waitMs = this.#askAgainAtMs - nowMs
    const isNews = this.#corrections.size > 0 || first !== this.#first
    if (waitMs > 0 && (this.#failures > 0 || !isNews)) return first === undefined ? Infinity : waitMs
    if (first === undefined && !isNews) return Infinity
    const asking = waiting.values().take(Math.min(count, sharesPerTakeMax))
    void this.#take(asking.filter((waiter) => !this.#held.has(waiter)).toArray())
    return Infinity
  }

  async #take(waiters: readonly Waiter[]): Promise<void> {
    const askedAtMs = this.#clock.now()
    const corrections = [...this.#corrections.values()]
    this.#corrections = new Map()
    this.#isAsking = true
    try {
      const tokens = waiters.map((waiter) => waiter.tokens)
      const { rates, rate, limits } = this.#shared
      this.#receive(waiters, await rates.take({ rate, limits, queue: this.#queue, tokens, corrections }), askedAtMs)
    } catch {
      // Whether it was corrected is unknown. To count something twice is harmless, to give it back twice is not.
      for (const { cell, tokens } of corrections) if (tokens > 0) this.#correct({ cell, requests: 0, tokens })
      this.#fail()
    }
    this.#isAsking = false
    this.#owner.onChange()
  }

  #receive(waiters: readonly Waiter[], { granted, cell, validMs, waitMs }: Shares, askedAtMs: number): void {
    const nowMs = this.#clock.now()
    const validUntilMs = askedAtMs + validMs
    for (const waiter of waiters.slice(0, granted)) {
      this.#held.set(waiter, { cell, validUntilMs })
      if (nowMs >= validUntilMs || !this.#owner.waiting.has(waiter)) this.giveBack(waiter)
    }
    this.#first = waiters[granted]
    if (nowMs < validUntilMs) {
      this.#failures = 0
      this.#askAgainAtMs = nowMs + waitMs
    }
    // A storage that takes so long that its answers are worth nothing is no better than one that fails.
    else this.#fail()
  }

  #fail(): void {
    const nowMs = this.#clock.now()
    // What failed long ago, when it was asked last, may have been well since.
    if (nowMs - this.#askAgainAtMs > storeOutageMaxMs) this.#failures = 0
    if (this.#failures === 0) this.#failingSinceMs = nowMs
    const ceilingMs = Math.min(backoff.longestMs, backoff.firstMs * 2 ** this.#failures)
    this.#failures++
    this.#askAgainAtMs = nowMs + ceilingMs * (1 - this.#clock.random() / 2)
    if (nowMs - this.#failingSinceMs >= storeOutageMaxMs)
      this.#owner.onOutage(new ProviderError('unreachable', uncountable))
  }

  #correct({ cell, requests, tokens }: ShareCorrection): void {
    const before = this.#corrections.get(cell)
    const sum = { cell, requests: (before?.requests ?? 0) + requests, tokens: (before?.tokens ?? 0) + tokens }
    this.#corrections.set(cell, sum)
  }
}
