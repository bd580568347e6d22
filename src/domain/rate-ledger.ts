import type { RateLimits, ShareCorrection, ShareRequest, Shares } from './shared-rates.ts'

/** How a rate is counted. */
export interface RateSpans {
  /** For which the limits hold. */
  readonly windowMs: number
  /** What is used is counted in cells of this length. */
  readonly cellMs: number
  /** Between the granting of a request and its sending there is at most so much time. */
  readonly graceMs: number
}

export const minuteSpans: RateSpans = { windowMs: 60_000, cellMs: 1_000, graceMs: 1_000 }

/** What was used, where. */
export interface RateCell {
  readonly cell: number
  readonly requests: number
  readonly tokens: number
}

/** A queue that waits. Those behind it are granted nothing before it. */
export interface RateTurn {
  readonly queue: string
  /** When it was told to ask again, in ms since 1970. */
  readonly atMs: number
}

/** All that is kept of a rate: cells in the order of time, and turns in the order in which they come. */
export interface RateState {
  readonly cells: readonly RateCell[]
  readonly turns: readonly RateTurn[]
}

export const unusedRate: RateState = { cells: [], turns: [] }

/** Nobody is told to wait for longer: corrections of others make room before the time at which it would be there without. */
const waitMaxMs = 1_000
/** Who is behind another looks so much later, and again after as long. */
const behindMs = 50
/** A queue that does not come back so long after it was told to has lost its turn. Its process may be dead. */
const latenessMaxMs = 2_000
/** Queues that are kept in order. */
const turnsMax = 1_000

type Amount = keyof RateLimits

/** Grants of a rate what it has room for. Pure: the storage keeps the state, and tells the time. */
export function takeShares(
  state: RateState,
  { queue, limits, tokens, corrections }: ShareRequest,
  nowMs: number,
  { windowMs, cellMs, graceMs }: RateSpans,
): { readonly state: RateState; readonly shares: Shares } {
  // One more than fit into the time: the first and the last may lie in it in part only.
  const cellCount = Math.ceil((windowMs + graceMs) / cellMs) + 1
  const current = Math.floor(nowMs / cellMs)
  const cells = new LiveCells(state.cells, corrections, current, cellCount)

  const turns = state.turns.filter(({ atMs }) => atMs + latenessMaxMs >= nowMs)
  const place = turns.findIndex((turn) => turn.queue === queue)
  const mayGo = turns.length === 0 || place === 0
  let granted = 0
  while (mayGo && granted < tokens.length && cells.missingCells(tokens[granted] ?? 0, limits) === 0) {
    cells.use(tokens[granted] ?? 0)
    granted++
  }

  const answer = {
    granted,
    cell: current,
    validMs: graceMs,
    left: cells.requestsLeft(limits),
    moreMs: Math.max(0, (current + cells.cellsUntilMore(limits)) * cellMs - nowMs),
  }
  const others = turns.filter((turn) => turn.queue !== queue)
  const next = tokens[granted]
  if (next === undefined) return { state: { cells: cells.all(), turns: others }, shares: { ...answer, waitMs: 0 } }

  const missing = cells.missingCells(next, limits)
  const freeMs = missing === 0 ? 0 : (current + missing) * cellMs - nowMs
  // Who was granted something goes behind all others that wait.
  const ahead = granted > 0 || place === -1 ? others : others.slice(0, place)
  const first = ahead[0]
  const turnMs = first === undefined ? 0 : Math.max(0, first.atMs - nowMs) + behindMs
  const waitMs = Math.min(waitMaxMs, Math.max(freeMs, turnMs))
  const kept = [...ahead, { queue, atMs: nowMs + waitMs }, ...others.slice(ahead.length)].slice(0, turnsMax)
  return { state: { cells: cells.all(), turns: kept }, shares: { ...answer, waitMs } }
}

/** The cells that still count. */
class LiveCells {
  readonly #cells = new Map<number, { requests: number; tokens: number }>()
  readonly #used = { requests: 0, tokens: 0 }
  readonly #current: number
  readonly #cellCount: number

  constructor(kept: readonly RateCell[], corrections: readonly ShareCorrection[], current: number, cellCount: number) {
    this.#current = current
    this.#cellCount = cellCount
    for (const { cell, requests, tokens } of kept) this.#add(cell, requests, tokens)
    for (const { cell, requests, tokens } of corrections) {
      // What cannot be found any more counts from now on, if it counts at all. It keeps cells in the order of time.
      if (cell > current - cellCount) this.#add(this.#cells.has(cell) ? cell : current, requests, tokens)
    }
  }

  use(tokens: number): void {
    this.#add(this.#current, 1, tokens)
  }

  /** How many cells from the current one on it takes until there is room for a request; 0: there is. */
  missingCells(tokens: number, limits: RateLimits): number {
    return Math.max(this.#missing('requests', 1, limits.requests), this.#missing('tokens', tokens, limits.tokens))
  }

  requestsLeft({ requests: limit }: RateLimits): number {
    return limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, limit - this.#used.requests)
  }

  /** How many cells from the current one on it takes until there is room for more requests than now; 0: none is used. */
  cellsUntilMore(limits: RateLimits): number {
    const missing = this.#missing('requests', 1, limits.requests)
    if (missing > 0) return missing
    for (const [cell, { requests }] of this.#cells) {
      if (requests > 0) return cell + this.#cellCount - this.#current
    }
    return 0
  }

  all(): RateCell[] {
    return [...this.#cells].map(([cell, used]) => ({ cell, ...used })).filter(({ requests }) => requests > 0)
  }

  /** What is more than the limit has room when nothing else is used. */
  #missing(amount: Amount, wanted: number, limit: number | undefined): number {
    if (limit === undefined) return 0
    let excess = this.#used[amount] + Math.min(wanted, limit) - limit
    if (excess <= 0) return 0
    let last = this.#current
    for (const [cell, used] of this.#cells) {
      last = cell
      excess -= used[amount]
      if (excess <= 0) break
    }
    return last + this.#cellCount - this.#current
  }

  /** A clock that was set back finds cells that are yet to come: they count for as long as if they were used now. */
  #add(told: number, requests: number, tokens: number): void {
    const cell = Math.min(told, this.#current)
    if (cell <= this.#current - this.#cellCount) return
    const before = this.#cells.get(cell) ?? { requests: 0, tokens: 0 }
    // Nothing gives back what was not taken.
    const after = { requests: Math.max(0, before.requests + requests), tokens: Math.max(0, before.tokens + tokens) }
    this.#used.requests += after.requests - before.requests
    this.#used.tokens += after.tokens - before.tokens
    this.#cells.set(cell, after)
  }
}
