import type { LllmFault } from '../client/fault.ts'
import type { LllmProblem } from '../client/problem.ts'
import { type Cost, costOf, noCost, picoUsdPerUsd } from '../domain/cost.ts'

/** A call that may have been billed, of which nothing is known. */
export const unknownCost: Cost = costOf(null, null)

/** No call costs more; of a number that is larger, nothing is believed. */
const callUsdMax = 2_000

/** Refused by a service that takes no calls now, so that nothing has begun. */
const refusals: ReadonlySet<string> = new Set(['draining', 'overloaded', 'rate-limited'])

/** What a call cost whose session cannot be had. What its problem tells may be only what is priced, so that an unpriced call is added. */
export function costOfProblem({ status, code, sessionId, costUsd }: LllmProblem): Cost {
  if (sessionId === undefined && (status < 500 || refusals.has(code))) return noCost
  if (typeof costUsd !== 'number' || !(costUsd >= 0 && costUsd <= callUsdMax)) return unknownCost
  return { ...unknownCost, completionPicoUsd: Math.round(costUsd * picoUsdPerUsd), pricedCalls: 1 }
}

export function costOfFault({ mayHaveRun }: LllmFault): Cost {
  return mayHaveRun ? unknownCost : noCost
}
