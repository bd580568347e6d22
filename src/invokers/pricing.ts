import { createRequire } from 'node:module'
import { z } from 'zod'
import { type PicoUsd, type Price, picoUsdPerUsd, type Usage } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { PriceBook } from '../domain/invoker.ts'
import { tellIssue } from '../domain/tell-issue.ts'

/** At most this many mistakes of a price file are told at once. */
const issuesMax = 10

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
    const told = parsed.error.issues.slice(0, issuesMax).map((issue) => tellIssue(issue))
    const message = `${file} is no price file: ${told.join(' ')} A model has input_per_mtok, output_per_mtok and perhaps cached_input_per_mtok, in USD for a million tokens.`
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
 *
 * One model costs different sums at different providers, so the provider is told from the URL where that is a known one.
 * Behind any other URL, a proxy for example, a model is looked for by its name alone.
 */
export function createPriceBook({ overrides = new Map() }: { readonly overrides?: PriceOverrides } = {}): PriceBook {
  const catalogue = createCatalogue()
  return {
    price(models, usage, atMs, apiUrl) {
      const own = models.map((model) => overrides.get(model)).find((prices) => prices !== undefined)
      if (own !== undefined) return multiply(own, usage)
      for (const model of models) {
        const price = catalogue.price(model, usage, atMs, apiUrl)
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

type GenaiPrices = typeof import('@pydantic/genai-prices')
type Provider = NonNullable<ReturnType<GenaiPrices['findProvider']>>

/** What the catalogue has of a model: a provider of this model alone, and its prices where they are flat. */
interface Listed {
  readonly provider: Provider
  readonly flat: TokenPrices | null
}

/** Models whose place in the catalogue is remembered. */
const rememberedMax = 1_000

function createCatalogue() {
  let genaiPrices: GenaiPrices | undefined
  // A search goes through hundreds of models. What it found, a provider of one model, is searched in no time.
  const remembered = new Map<string, Listed | null>()

  function find(model: string, apiUrl: string | undefined): Listed | null {
    const key = `${model} ${apiUrl ?? ''}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    const found = search(model, apiUrl)
    if (remembered.size >= rememberedMax) remembered.clear()
    remembered.set(key, found)
    return found
  }

  function search(model: string, apiUrl: string | undefined): Listed | null {
    const { calcPrice, findProvider } = load()
    const provider = apiUrl === undefined ? undefined : findProvider({ providerApiUrl: apiUrl })
    const found = calcPrice({}, model, provider === undefined ? {} : { provider })
    if (found === null) return null
    const only = { ...found.provider, models: [{ ...found.model, match: { equals: model.toLowerCase() } }] }
    return { provider: only, flat: flatPrices(only) }
  }

  /** The catalogue takes about 40 ms to load, which a start should not wait for. */
  function load(): GenaiPrices {
    genaiPrices ??= createRequire(import.meta.url)('@pydantic/genai-prices') as GenaiPrices
    return genaiPrices
  }

  return {
    price(model: string, usage: Usage, atMs: number, apiUrl: string | undefined): Price | null {
      try {
        const found = find(model, apiUrl)
        if (found === null) return null
        const { provider, flat } = found
        const isPossible = usage.cachedPromptTokens <= usage.promptTokens
        if (flat !== null && isPossible) return multiply(flat, usage)
        const tokens = {
          input_tokens: usage.promptTokens,
          cache_read_tokens: usage.cachedPromptTokens,
          output_tokens: usage.completionTokens,
        }
        const priced = load().calcPrice(tokens, model, { provider, timestamp: new Date(atMs) })
        // The catalogue counts what it has no price for as nothing.
        if (priced?.model_price.input_mtok === undefined || priced.model_price.output_mtok === undefined) return null
        return { promptPicoUsd: toPico(priced.input_price), completionPicoUsd: toPico(priced.output_price) }
      } catch {
        // It throws where a usage does not fit a price, as with cached tokens that a model does not have.
        return null
      }
    },
  }
}

/**
 * The prices of the provider's one model, where they are the same whatever the time and the length of the prompt: the
 * catalogue takes ten times as long to multiply. Null where only the catalogue knows.
 */
function flatPrices({ models: [model] }: Provider): TokenPrices | null {
  const prices = model?.prices
  if (prices === undefined || Array.isArray(prices)) return null
  const { input_mtok: input, output_mtok: output, cache_read_mtok: cached, ...others } = prices
  if (typeof input !== 'number' || typeof output !== 'number' || typeof cached !== 'number') return null
  // A price for each request, for example, is added by the catalogue.
  if ('requests_kcount' in others) return null
  return {
    promptPicoUsd: picoPerToken(input),
    cachedPromptPicoUsd: picoPerToken(cached),
    completionPicoUsd: picoPerToken(output),
  }
}

function toPico(usd: number): PicoUsd {
  return Math.round(usd * picoUsdPerUsd)
}
