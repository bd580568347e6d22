import type { Clock } from '../domain/clock.ts'

/** Where a provider does not say how long to wait: a random share of a ceiling that doubles with each time. */
const backoff = { firstMs: 500, ceilingMs: 20_000 } as const
/** Several processes are told the same time. Each comes back up to this share of it later, and at most this much. */
const jitter = { share: 0.1, longestMs: 1_000 } as const
/** After the gate opens, the requests that may have been sent double in this time, from one. */
const doublingMs = 250
/** Then there have been a thousand, and there is no more need to hold anybody back. */
const doublingsMax = 10

/**
 * Closes when a provider asks to be left alone, for all requests that have not been sent yet. After it has opened they go
 * one after the other and then ever faster: if the provider still refuses, it refuses few.
 */
export class Gate {
  readonly #clock: Clock
  #opensAtMs = -Infinity
  #sentSince = 0
  #closings = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until it opens; 0 when it is open. */
  closedMs(nowMs: number): number {
    return Math.max(0, this.#opensAtMs - nowMs)
  }

  /** Milliseconds until the next request may be sent: 0 is at once. */
  waitMs(nowMs: number): number {
    if (!this.isLimiting(nowMs)) return 0
    return Math.max(0, this.#opensAtMs + doublingMs * Math.log2(this.#sentSince + 1) - nowMs)
  }

  begin(nowMs: number): void {
    if (this.isLimiting(nowMs)) this.#sentSince++
  }

  /** The provider answered a request without complaint. */
  answered(): void {
    this.#closings = 0
  }

  /** Closes for as long as the provider said, or, where it said nothing, for longer each time. */
  close(retryAfterMs: number | null, nowMs: number): void {
    const random = this.#clock.random()
    const closedMs =
      retryAfterMs === null
        ? random * Math.min(backoff.ceilingMs, backoff.firstMs * 2 ** this.#closings)
        : retryAfterMs + random * Math.min(jitter.longestMs, jitter.share * retryAfterMs)
    // A crowd that is refused at once is refused once.
    if (nowMs >= this.#opensAtMs) this.#closings++
    this.open(nowMs + closedMs)
  }

  /** Lets requests through from some time on, though not earlier than before: first one, then more and more. */
  open(atMs: number): void {
    this.#opensAtMs = Math.max(this.#opensAtMs, atMs)
    this.#sentSince = 0
  }

  /** Whether it is closed, or has been until a short time ago. */
  isLimiting(nowMs: number): boolean {
    return nowMs < this.#opensAtMs + doublingMs * doublingsMax
  }
}
