import type { Clock } from '../../domain/clock.ts'
import { minuteSpans, type RateState, takeShares, unusedRate } from '../../domain/rate-ledger.ts'

/** What became of a request that was counted. */
export interface RateCount {
  /** Whether there was room for it. What is refused is not counted. */
  readonly allowed: boolean
  /** Requests for which there is room now. */
  readonly left: number
  /** Milliseconds until there is room for more than now. */
  readonly moreMs: number
}

/** Counts requests: in no 60 seconds more than the limit of a name are allowed, wherever they begin. */
export interface RequestRates {
  /** @param name Whose requests they are. Up to 100 characters. Never rejects. */
  count(name: string, perMinute: number): RateCount | Promise<RateCount>
}

/** Counts in this process alone. */
export interface OwnRates extends RequestRates {
  count(name: string, perMinute: number): RateCount
}

/** Names that are counted at once. Of more, the one that was not heard of for the longest is forgotten: it begins anew. */
export const namesMax = 10_000

/** A request is counted when it is there, so that nothing happens between both. */
const spans = { ...minuteSpans, graceMs: 0 }
/** By then nothing of a name counts any more. */
const forgottenAfterMs = spans.windowMs + 2 * spans.cellMs

interface Counted {
  readonly state: RateState
  readonly atMs: number
}

export function createOwnRates(clock: Pick<Clock, 'now'>): OwnRates {
  /** In the order in which they were last counted. */
  const counted = new Map<string, Counted>()

  const keep = (name: string, state: RateState, nowMs: number) => {
    counted.delete(name)
    counted.set(name, { state, atMs: nowMs })
    for (const [oldest, { atMs }] of counted) {
      if (counted.size <= namesMax && nowMs - atMs < forgottenAfterMs) return
      counted.delete(oldest)
    }
  }
  return {
    count(name, perMinute) {
      const nowMs = clock.now()
      const request = { rate: name, limits: { requests: perMinute }, queue: name, tokens: [0], corrections: [] }
      const { state, shares } = takeShares(counted.get(name)?.state ?? unusedRate, request, nowMs, spans)
      // A flood of what is refused is not worth remembering. Nobody waits here, so that there are no turns.
      if (shares.granted > 0) keep(name, { cells: state.cells, turns: [] }, nowMs)
      return { allowed: shares.granted > 0, left: shares.left, moreMs: shares.moreMs }
    },
  }
}
