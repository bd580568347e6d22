import { createRequire } from 'node:module'
import { z } from 'zod'
import { type PicoUsd, type Price, picoUsdPerUsd, type Usage } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { PriceBook } from '../domain/invoker.ts'

/** What a model costs, in whole pico-USD a token. */
export interface TokenPrices {
  readonly promptPicoUsd: PicoUsd
  readonly cachedPromptPicoUsd: PicoUsd
  readonly completionPicoUsd: PicoUsd
}

/** Prices of the operator's own, by the name of the model. */
export type PriceOverrides = ReadonlyMap<string, TokenPrices>

/** USD for a million tokens. A price above a dollar a token is a mistake. */
const usdPerMtok = z.number().min(0).max(1e6)
const priceFile = z.record(
  z.string().min(1),
  z.strictObject({
    input_per_mtok: usdPerMtok,
    cached_input_per_mtok: usdPerMtok.optional(),
    output_per_mtok: usdPerMtok,
  }),
)

/**
 * Reads a price file: by the name of a model, `input_per_mtok`, `output_per_mtok` and, where it differs from input,
 * `cached_input_per_mtok`, in USD for a million tokens.
 *
 * @throws LllmError `invalid-settings`, which names the file and the keys.
 */
export function readPriceOverrides(value: unknown, file: string): PriceOverrides {
  const parsed = priceFile.safeParse(value)
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 10).map(({ path, message }) => `/${path.join('/')}: ${message}`)
    const message = `${file} is no price file: ${issues.join('; ')}. A model has input_per_mtok, output_per_mtok and perhaps cached_input_per_mtok, in USD for a million tokens.`
    throw new LllmError('invalid-settings', message, { file })
  }
  const models = Object.entries(parsed.data).map(([model, price]): [string, TokenPrices] => [
    model,
    {
      promptPicoUsd: picoPerToken(price.input_per_mtok),
      cachedPromptPicoUsd: picoPerToken(price.cached_input_per_mtok ?? price.input_per_mtok),
      completionPicoUsd: picoPerToken(price.output_per_mtok),
    },
  ])
  return new Map(models)
}

/** Rounded once, here: whole prices times whole tokens are exact. */
function picoPerToken(usd: number): PicoUsd {
  return Math.round((usd * picoUsdPerUsd) / 1e6)
}

/**
 * Knows the operator's prices first, then those of the genai-prices package, which are a part of it: nothing is fetched.
 */
export function createPriceBook({ overrides = new Map() }: { readonly overrides?: PriceOverrides } = {}): PriceBook {
  return {
    price(models, usage, atMs) {
      const own = models.map((model) => overrides.get(model)).find((prices) => prices !== undefined)
      if (own !== undefined) return multiply(own, usage)
      for (const model of models) {
        const price = lookUp(model, usage, atMs)
        if (price !== null) return price
      }
      return null
    },
  }
}

function multiply(prices: TokenPrices, usage: Usage): Price {
  const { promptTokens, cachedPromptTokens, completionTokens } = usage
  const uncachedTokens = promptTokens - cachedPromptTokens
  return {
    promptPicoUsd: uncachedTokens * prices.promptPicoUsd + cachedPromptTokens * prices.cachedPromptPicoUsd,
    completionPicoUsd: completionTokens * prices.completionPicoUsd,
  }
}

function lookUp(model: string, usage: Usage, atMs: number): Price | null {
  const tokens = {
    input_tokens: usage.promptTokens,
    cache_read_tokens: usage.cachedPromptTokens,
    output_tokens: usage.completionTokens,
  }
  try {
    const found = loadCatalogue().calcPrice(tokens, model, { timestamp: new Date(atMs) })
    // The catalogue counts what it has no price for as nothing.
    if (found?.model_price.input_mtok === undefined || found.model_price.output_mtok === undefined) return null
    return { promptPicoUsd: toPico(found.input_price), completionPicoUsd: toPico(found.output_price) }
  } catch {
    // It throws where a usage does not fit a price, as with cached tokens that a model does not have.
    return null
  }
}

type Catalogue = typeof import('@pydantic/genai-prices')
let catalogue: Catalogue | undefined

/** The catalogue takes about 40 ms to load, which a start should not wait for. */
function loadCatalogue(): Catalogue {
  catalogue ??= createRequire(import.meta.url)('@pydantic/genai-prices') as Catalogue
  return catalogue
}

function toPico(usd: number): PicoUsd {
  return Math.round(usd * picoUsdPerUsd)
}
