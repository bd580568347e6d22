/** What may be used in any 60 seconds. Left out: no limit. */
export interface RateLimits {
  readonly requests?: number | undefined
  readonly tokens?: number | undefined
}

/** Changes what is counted in a cell, where it was not what had been taken. Negative amounts give back. */
export interface ShareCorrection {
  /** As {@link Shares} told it. */
  readonly cell: number
  readonly requests: number
  readonly tokens: number
}

export interface ShareRequest {
  /** Names the rate, alike in all processes. Up to 100 characters. */
  readonly rate: string
  /** Where processes that share a rate have other limits, each holds its own, for what all of them use together. */
  readonly limits: RateLimits
  /** Who asks: alike whenever the same queue does, and nobody else's. Up to 100 characters. */
  readonly queue: string
  /** The tokens of each request that could be sent now, in the order in which they are to go. None: the queue waits for nothing. */
  readonly tokens: readonly number[]
  readonly corrections: readonly ShareCorrection[]
}

export interface Shares {
  /** How many of the requests may be sent, the first ones. The others have used nothing. */
  readonly granted: number
  /** Where they are counted, for a correction. */
  readonly cell: number
  /** They are sent in less than so many ms from the call of `take`, or not at all, and then given back. */
  readonly validMs: number
  /** When the next one may ask again, in ms. It is of no use earlier, unless something is given back. 0: all may be sent. */
  readonly waitMs: number
  /** For how many more requests the limit has room now, whoever waits. 0 or more; Infinity where only tokens are limited. */
  readonly left: number
  /** After how many ms there is room for more than now, unless something is given back earlier. 0: nothing is used. */
  readonly moreMs: number
}

/**
 * Counts what several processes use of something together.
 *
 * Whoever sends only what was granted, in the time for which that is valid, sends with all others together never more than the
 * limits in any 60 seconds, wherever they begin. Time is that of the storage, so that the clocks of processes do not matter. One
 * request of more tokens than the limit is granted when nothing else is used. Queues that wait take turns, as long as they come
 * back when they were told to: each is granted something before another is granted more. Amounts are whole numbers up to 2⁵³ - 1.
 *
 * `take` rejects with an LllmError `store-unavailable` when the storage fails, in the time in which the storage notices, and with
 * nothing else. Whether anything was taken or corrected is then unknown. Any number of calls may be under way at once.
 */
export interface SharedRates {
  take(request: ShareRequest): Promise<Shares>
}
