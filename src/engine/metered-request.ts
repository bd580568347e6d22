import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AgentPlan, ModelChoice } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import type { ModelRequest, PriceBook } from '../domain/invoker.ts'
import { type Amounts, noAmounts } from '../domain/limits.ts'
import { type LlmCall, reachedProvider } from '../domain/session.ts'
import type { Meter } from './meter.ts'
import { boundCompletion, priceAtCeiling, worstCase } from './worst-case.ts'

/** How a request ended, as it is recorded. */
export type EndedRequest = Pick<LlmCall, 'usage' | 'cost' | 'error'>

export interface MeteredRequest {
  /** What is to be sent: under a limit, its completion is bounded. */
  readonly request: ModelRequest
  /** What was set aside for it. */
  readonly reserved: Amounts
  /** Has to be called exactly once, however the request ended. Gives what it counts for. */
  settle(ended: EndedRequest): Amounts
}

export interface Metering {
  readonly plan: Pick<AgentPlan, 'name' | 'ceilingPrice'>
  readonly prices: PriceBook
  readonly world: World
  readonly meter: Meter
  readonly signal: AbortSignal
}

const settleNothing = () => noAmounts

/** A request that counts against no limit. */
export function unmetered(request: ModelRequest): MeteredRequest {
  return { request, reserved: noAmounts, settle: settleNothing }
}

/**
 * Sets aside the worst case of a request before it is sent, in every limit that it counts against.
 *
 * @throws LllmError `budget-exceeded`, `unpriced-model`, `overloaded`, `store-unavailable`; the signal's reason once that aborts.
 */
export async function meterRequest(
  metering: Metering,
  choice: ModelChoice,
  request: ModelRequest,
): Promise<MeteredRequest> {
  const { plan, prices, world, meter, signal } = metering
  try {
    const bounded = meter.limitsTokens ? boundCompletion(request) : request
    const pricing = { agent: plan, choice, prices, nowMs: world.clock.now() }
    const worst = worstCase(bounded, meter.limitsMoney ? pricing : null)
    const reservation = await meter.reserve(worst, signal)
    const settle = (ended: EndedRequest) => {
      const taken = takenBy(ended, plan)
      reservation.settle(taken)
      return { ...worst, ...taken }
    }
    return { request: bounded, reserved: worst, settle }
  } catch (error) {
    // In a turn of its own: a tactic that swallows this and asks again for ever must not keep the process busy.
    await nextTurn()
    throw error
  }
}

/** What a request took, as far as that is known for certain: of a reply that was cut short the provider may bill all. */
function takenBy(ended: EndedRequest, { ceilingPrice }: Metering['plan']): Partial<Amounts> {
  const { usage, cost } = ended
  const isCounted = usage !== null && usage.estimated === undefined
  const mayBeBilled = cost.pricedCalls + cost.unpricedCalls > 0
  const llm_calls = reachedProvider(ended) || mayBeBilled ? 1n : 0n
  if (!mayBeBilled) return { usd: 0n, tokens: 0n, llm_calls }
  if (!isCounted) return { llm_calls }
  const tokens = BigInt(cost.totalTokens)
  if (cost.pricedCalls > 0) return { usd: BigInt(cost.promptPicoUsd + cost.completionPicoUsd), tokens, llm_calls }
  return { tokens, llm_calls, ...(ceilingPrice === undefined ? {} : { usd: priceAtCeiling(ceilingPrice, usage) }) }
}
