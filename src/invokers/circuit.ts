import type { Clock } from '../domain/clock.ts'

/** Failures in a row that mean that a provider is dead, rather than unlucky. */
const failuresMax = 10
/** How long a dead provider is left alone before it is asked once more: twice as long each time. */
export const coolDown = { firstMs: 1_000, longestMs: 30_000 } as const

/**
 * Notices that a provider is dead, so that calls need not find out one by one, and that it does not find a crowd waiting when
 * it comes back. While the circuit is open, one request per cool-down goes through as a probe; the first that is answered
 * closes it.
 */
export class Circuit {
  readonly #clock: Clock
  #failuresInRow = 0
  /** 0: the circuit is closed. */
  #coolDownMs = 0
  #nextProbeAtMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#coolDownMs > 0
  }

  /** Whether a request may be sent: any while the circuit is closed, a probe when one is due. */
  isPassable(nowMs: number): boolean {
    return !this.isOpen || nowMs >= this.#nextProbeAtMs
  }

  /** What to tell those who are refused: some time after the next probe, so that they do not all come to be it. */
  retryAfterMs(nowMs: number): number {
    return Math.max(0, this.#nextProbeAtMs - nowMs) + Math.round((this.#clock.random() * this.#coolDownMs) / 2)
  }

  /** A request is sent. @returns Whether it is a probe. */
  begin(nowMs: number): boolean {
    // A probe that takes long does not keep the next one from its turn.
    if (this.isOpen) this.#nextProbeAtMs = nowMs + this.#coolDownMs
    return this.isOpen
  }

  /** The provider answered, be it with an error. @returns Whether that closed the circuit. */
  answered(isProbe: boolean): boolean {
    // Of an open circuit, what was sent before it opened tells nothing new.
    if (this.isOpen && !isProbe) return false
    const closes = this.isOpen
    this.#failuresInRow = 0
    this.#coolDownMs = 0
    return closes
  }

  /** A request failed in a way in which it fails when the provider is dead. */
  failed(isProbe: boolean, nowMs: number): void {
    if (this.isOpen && !isProbe) return
    this.#failuresInRow++
    if (this.#failuresInRow < failuresMax) return
    this.#coolDownMs = Math.min(coolDown.longestMs, this.#coolDownMs * 2 || coolDown.firstMs)
    this.#nextProbeAtMs = nowMs + this.#coolDownMs
  }
}
