/**
 * Money is counted in whole pico-USD (1e-12 USD), so that sums are exact: a price of $0.15 per million tokens is
 * 150,000 pico-USD a token. A JavaScript number holds up to $9,007 so without loss.
 */
export type PicoUsd = number

export const picoUsdPerUsd = 1e12

/** Tokens as the provider reported them. Cached tokens are part of the prompt's, reasoning tokens of the completion's. */
export interface Usage {
  readonly promptTokens: number
  readonly cachedPromptTokens: number
  readonly completionTokens: number
  readonly reasoningTokens: number
  /** Set where the provider told nothing, because the reply was cut short, and the tokens were counted here. */
  readonly estimated?: true
}

/** What one paid reply cost. */
export interface Price {
  readonly promptPicoUsd: PicoUsd
  readonly completionPicoUsd: PicoUsd
}

/** Tokens and money of any number of model calls. Costs are added with {@link addCosts} and with nothing else. */
export interface Cost extends Omit<Usage, 'estimated'>, Price {
  readonly totalTokens: number
  /** Calls that were answered and whose price is known. */
  readonly pricedCalls: number
  /** Calls that may have been billed but whose price is unknown. They are never counted as free. */
  readonly unpricedCalls: number
}

export const noUsage: Usage = { promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0, reasoningTokens: 0 }

export const noCost: Cost = {
  ...noUsage,
  totalTokens: 0,
  promptPicoUsd: 0,
  completionPicoUsd: 0,
  pricedCalls: 0,
  unpricedCalls: 0,
}

/** The cost of a call that may have been billed. Without usage or without a price it is unpriced. */
export function costOf(usage: Usage | null, price: Price | null): Cost {
  const { promptTokens, cachedPromptTokens, completionTokens, reasoningTokens } = usage ?? noUsage
  const isPriced = usage !== null && price !== null
  return {
    promptTokens,
    cachedPromptTokens,
    completionTokens,
    reasoningTokens,
    totalTokens: promptTokens + completionTokens,
    promptPicoUsd: isPriced ? price.promptPicoUsd : 0,
    completionPicoUsd: isPriced ? price.completionPicoUsd : 0,
    pricedCalls: isPriced ? 1 : 0,
    unpricedCalls: isPriced ? 0 : 1,
  }
}

/** The exact sum: every field is a whole number. */
export function addCosts(costs: readonly Cost[]): Cost {
  let total = noCost
  for (const cost of costs) {
    total = {
      promptTokens: total.promptTokens + cost.promptTokens,
      cachedPromptTokens: total.cachedPromptTokens + cost.cachedPromptTokens,
      completionTokens: total.completionTokens + cost.completionTokens,
      reasoningTokens: total.reasoningTokens + cost.reasoningTokens,
      totalTokens: total.totalTokens + cost.totalTokens,
      promptPicoUsd: total.promptPicoUsd + cost.promptPicoUsd,
      completionPicoUsd: total.completionPicoUsd + cost.completionPicoUsd,
      pricedCalls: total.pricedCalls + cost.pricedCalls,
      unpricedCalls: total.unpricedCalls + cost.unpricedCalls,
    }
  }
  return total
}

/**
 * The money of a cost in USD, or null where nothing could be priced: an unpriced call alone is not a call for $0.
 * A sum of priced and unpriced calls gives what is known; `unpricedCalls` tells that it is not all.
 */
export function costUsd(cost: Cost): number | null {
  return isUnpriced(cost) ? null : toUsd(cost.promptPicoUsd + cost.completionPicoUsd)
}

export function isUnpriced({ pricedCalls, unpricedCalls }: Pick<Cost, 'pricedCalls' | 'unpricedCalls'>): boolean {
  return unpricedCalls > 0 && pricedCalls === 0
}

/** Pico-USD as USD, rounded to 1e-12 by construction. */
export function toUsd(pico: PicoUsd): number {
  return pico / picoUsdPerUsd
}
