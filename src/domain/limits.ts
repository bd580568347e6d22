import { picoUsdPerUsd } from './cost.ts'

/** What one call of a tactic may take, everything below it included. What is left out is not limited. */
export interface Limits {
  /** Money, in whole pico-USD: a bigint, because a budget may be larger than what a number holds exactly. */
  readonly budgetPicoUsd?: bigint
  /** Requests to a model, the failed ones too. */
  readonly llmCalls?: number
  /** Tokens of prompts and completions together. */
  readonly tokens?: number
  /** Levels of sub-tactics below the call. 0: it calls none. */
  readonly depth?: number
  /** Milliseconds until the call ends as `deadline-exceeded`. */
  readonly timeoutMs?: number
}

/** No budget is larger. It keeps all sums within what a database column holds. */
export const budgetUsdMax = 1_000_000

/** What is counted against limits. */
export type Unit = 'usd' | 'tokens' | 'llm_calls'
export const units: readonly Unit[] = ['usd', 'tokens', 'llm_calls']

/** An amount of each unit; money is in whole pico-USD. */
export type Amounts = Readonly<Record<Unit, bigint>>

export const noAmounts: Amounts = { usd: 0n, tokens: 0n, llm_calls: 0n }

/** What a limit allowed, what was used of it, and what a request that was refused might have needed. In USD, tokens or calls. */
export interface LimitExcess extends Partial<LimitFigures> {
  /** Whose limit it is: `total per day`, `the call of "essay"` … */
  readonly name: string
  readonly unit: Unit | 'depth'
}

/** How a limit stands. Of one that all tenants share, only the operator is told. */
export interface LimitFigures {
  readonly limit: number
  readonly spent: number
  /** Set aside for requests that are under way. */
  readonly reserved: number
  readonly needed: number
}

/** A sum of USD in whole pico-USD. What is no sum is 0, and no sum is larger than {@link budgetUsdMax}. */
export function toPicoUsd(usd: number): bigint {
  return usd > 0 ? BigInt(Math.round(Math.min(usd, budgetUsdMax) * picoUsdPerUsd)) : 0n
}

/** An amount as a number of USD that a reader does not take for more, however numbers are rounded. */
export function toUsdAtMost(picoUsd: bigint): number {
  let usd = Number(picoUsd) / picoUsdPerUsd
  while (toPicoUsd(usd) > picoUsd) usd -= usd * Number.EPSILON
  return usd
}

/** An amount as it is told: money in USD. */
export function toShownAmount(unit: Unit, amount: bigint): number {
  return unit === 'usd' ? Number(amount) / picoUsdPerUsd : Number(amount)
}
