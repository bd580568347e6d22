import { minuteSpans, type RateState, takeShares, unusedRate } from '../../src/domain/rate-ledger.ts'
import type { SharedRates, ShareRequest } from '../../src/domain/shared-rates.ts'

/** Rates that are shared by all that a test opens. */
export function memoryRates(nowMs: () => number, spans = minuteSpans) {
  const states = new Map<string, RateState>()
  const requests: ShareRequest[] = []
  const rates: SharedRates = {
    async take(request) {
      requests.push(request)
      const { state, shares } = takeShares(states.get(request.rate) ?? unusedRate, request, nowMs(), spans)
      states.set(request.rate, state)
      return shares
    },
  }
  return {
    rates,
    /** What was asked, in order. */
    requests,
    /** All that is counted at present, of all rates. */
    used() {
      const cells = [...states.values()].flatMap((state) => state.cells)
      return {
        requests: cells.reduce((sum, cell) => sum + cell.requests, 0),
        tokens: cells.reduce((sum, cell) => sum + cell.tokens, 0),
      }
    },
  }
}
