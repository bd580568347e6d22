const windowMs = 60_000
const cellMs = 1_000
/** One more than fit into a minute: the first and the last may lie in it in part only. */
const cellCount = windowMs / cellMs + 1

/**
 * Sees to it that in no 60 seconds, wherever they begin, more than so much is used. It counts in cells of a second, which
 * takes little memory whatever the limit is.
 */
export class PaceWindow {
  readonly #limit: number
  /** Used amounts, by the number of their second modulo the count of cells. */
  readonly #cells = new Float64Array(cellCount)
  #newest = 0
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Milliseconds until so much more may be used. What is more than the limit may be used when nothing else is. */
  waitMs(amount: number, nowMs: number): number {
    this.#moveTo(nowMs)
    let excess = this.#used + Math.min(amount, this.#limit) - this.#limit
    if (excess <= 0) return 0
    let oldest = this.#newest - cellCount + 1
    for (; oldest < this.#newest; oldest++) {
      excess -= this.#cells[oldest % cellCount] ?? 0
      if (excess <= 0) break
    }
    return (oldest + cellCount) * cellMs - nowMs
  }

  /** Uses so much. @returns The cell in which it is counted, for a correction. */
  take(amount: number, nowMs: number): number {
    this.#moveTo(nowMs)
    this.#add(this.#newest, amount)
    return this.#newest
  }

  /** Adds to what was counted in a cell, or takes from it. What is older than a minute does not matter any more. */
  correct(cell: number, difference: number, nowMs: number): void {
    this.#moveTo(nowMs)
    if (cell > this.#newest - cellCount) this.#add(cell, difference)
  }

  #add(cell: number, amount: number): void {
    const index = cell % cellCount
    this.#cells[index] = (this.#cells[index] ?? 0) + amount
    this.#used += amount
  }

  #moveTo(nowMs: number): void {
    const current = Math.floor(nowMs / cellMs)
    // A clock that is set back counts in the newest cell for a while.
    for (let steps = Math.min(current - this.#newest, cellCount); steps > 0; steps--) {
      const index = (current - steps + 1) % cellCount
      this.#used -= this.#cells[index] ?? 0
      this.#cells[index] = 0
    }
    this.#newest = Math.max(this.#newest, current)
  }
}
