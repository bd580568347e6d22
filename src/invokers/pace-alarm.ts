import type { Clock } from '../domain/clock.ts'

/** At most one timer, which is moved. It leaves nothing behind when there is nothing to wait for. */
export class PaceAlarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #atMs = Infinity
  #controller: AbortController | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Sets it to ring in so many milliseconds, or sooner if it was set to; whoever is woken too early sets it again. Infinity: never. */
  set(waitMs: number, nowMs: number): void {
    const atMs = nowMs + Math.ceil(waitMs)
    if (this.#atMs <= atMs && atMs !== Infinity) return
    this.#controller?.abort()
    this.#controller = undefined
    this.#atMs = atMs
    if (atMs === Infinity) return
    const controller = new AbortController()
    this.#controller = controller
    void this.#clock.sleep(atMs - nowMs, controller.signal).then(
      () => {
        this.#atMs = Infinity
        this.#ring()
      },
      () => {},
    )
  }
}
