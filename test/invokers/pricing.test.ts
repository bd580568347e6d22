import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Usage } from '../../src/domain/cost.ts'
import { createPriceBook, readPriceOverrides } from '../../src/invokers/pricing.ts'

const atMs = Date.UTC(2026, 0, 15)
const usage: Usage = { promptTokens: 1000, cachedPromptTokens: 400, completionTokens: 100, reasoningTokens: 30 }

describe('the prices that are known without being told', () => {
  const book = createPriceBook()

  test('count cached tokens at their own price, in whole pico-USD', () => {
    // gpt-4o: $2.50, cached $1.25, output $10 for a million tokens.
    expect(book.price(['gpt-4o'], usage, atMs)).toEqual({
      promptPicoUsd: 600 * 2_500_000 + 400 * 1_250_000,
      completionPicoUsd: 100 * 10_000_000,
    })
  })

  test('are looked up by the likeliest name first, then by the next', () => {
    expect(book.price(['my-proxy-gpt', 'gpt-4o'], usage, atMs)).toEqual(book.price(['gpt-4o'], usage, atMs))
    expect(book.price(['gpt-4o-mini-2024-07-18', 'gpt-4o'], usage, atMs)).toEqual(
      book.price(['gpt-4o-mini'], usage, atMs),
    )
  })

  test.each([[], [''], ['llama3.2'], ['no-such-model', 'nor-this'], ['__proto__', 'constructor']])(
    'are null for models that are not known: %j',
    (...models) => {
      expect(book.price(models, usage, atMs)).toBeNull()
    },
  )

  test('are null for a model that has no price for text that it writes', () => {
    expect(book.price(['text-embedding-3-small'], usage, atMs)).toBeNull()
  })

  test('are null, rather than an exception, for a usage that cannot be true', () => {
    expect(book.price(['gpt-4o'], { ...usage, cachedPromptTokens: 2000 }, atMs)).toBeNull()
  })
})

describe('the provider behind a URL', () => {
  const book = createPriceBook()
  const priceAt = (model: string, url: string) => book.price([model], usage, atMs, url)

  test('decides the price of a model that several providers have', () => {
    expect(priceAt('openai/gpt-4o', 'https://openrouter.ai/api/v1')).not.toBeNull()
    expect(priceAt('openai/gpt-4o', 'https://api.groq.com/openai/v1')).toBeNull()
  })

  test('is guessed from the name of the model where the URL is unknown, as a proxy is', () => {
    expect(priceAt('gpt-4o', 'http://127.0.0.1:4000/v1')).toEqual(book.price(['gpt-4o'], usage, atMs))
  })
})

describe('a price that was looked up before', () => {
  test('is the same the second time, also for another usage and another case of the name', () => {
    const twice = createPriceBook()
    const half = { ...usage, promptTokens: 500, cachedPromptTokens: 200, completionTokens: 50 }
    for (const _ of ['first', 'second']) {
      expect(twice.price(['GPT-4o'], usage, atMs)).toEqual(createPriceBook().price(['gpt-4o'], usage, atMs))
      expect(twice.price(['GPT-4o'], half, atMs)).toEqual(createPriceBook().price(['gpt-4o'], half, atMs))
    }
  })
})

describe('the prices of the operator', () => {
  const overrides = readPriceOverrides(
    {
      'llama3.2': { input_per_mtok: 0.15, output_per_mtok: 0.6 },
      'gpt-4o': { input_per_mtok: 2, cached_input_per_mtok: 0.5, output_per_mtok: 8 },
      'free-model': { input_per_mtok: 0, output_per_mtok: 0 },
      tiny: { input_per_mtok: 0.0000001, output_per_mtok: 0.0000004 },
    },
    'prices.json',
  )
  const book = createPriceBook({ overrides })

  test('go before those that are known', () => {
    expect(book.price(['gpt-4o'], usage, atMs)).toEqual({
      promptPicoUsd: 600 * 2_000_000 + 400 * 500_000,
      completionPicoUsd: 100 * 8_000_000,
    })
    expect(book.price(['gpt-4o-mini', 'gpt-4o'], usage, atMs)).toEqual(book.price(['gpt-4o'], usage, atMs))
  })

  test('count cached tokens as others where they have no price of their own', () => {
    expect(book.price(['llama3.2'], usage, atMs)?.promptPicoUsd).toBe(1000 * 150_000)
  })

  test('may be nothing, which is a price', () => {
    expect(book.price(['free-model'], usage, atMs)).toEqual({ promptPicoUsd: 0, completionPicoUsd: 0 })
  })

  test('are rounded once, to whole pico-USD a token', () => {
    expect(book.price(['tiny'], usage, atMs)).toEqual({ promptPicoUsd: 0, completionPicoUsd: 0 })
  })

  test('add up exactly: a sum of prices is the price of the sum', async () => {
    const tokens = fc.nat({ max: 1_000_000 })
    await fc.assert(
      fc.property(fc.array(fc.tuple(tokens, tokens), { maxLength: 20 }), (calls) => {
        const priceOf = (promptTokens: number, completionTokens: number) =>
          book.price(['llama3.2'], { promptTokens, cachedPromptTokens: 0, completionTokens, reasoningTokens: 0 }, atMs)
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
        const whole = priceOf(sum(calls.map(([prompt]) => prompt)), sum(calls.map(([, completion]) => completion)))
        const parts = calls.map(([prompt, completion]) => priceOf(prompt, completion))
        expect(sum(parts.map((part) => part?.promptPicoUsd ?? Number.NaN))).toBe(whole?.promptPicoUsd)
        expect(sum(parts.map((part) => part?.completionPicoUsd ?? Number.NaN))).toBe(whole?.completionPicoUsd)
      }),
    )
  })

  test.each([
    ['a list', [], /prices\.json/],
    ['a model without an output price', { 'gpt-4o': { input_per_mtok: 1 } }, /\/gpt-4o\/output_per_mtok/],
    ['a negative price', { 'gpt-4o': { input_per_mtok: -1, output_per_mtok: 1 } }, /\/gpt-4o\/input_per_mtok/],
    ['a price in text', { 'gpt-4o': { input_per_mtok: '1', output_per_mtok: 1 } }, /\/gpt-4o\/input_per_mtok/],
    ['a key that is misspelt', { 'gpt-4o': { input_per_mtok: 1, output_per_mtok: 1, cached: 1 } }, /cached/],
    ['nothing', null, /prices\.json/],
  ])('are refused as %s, with the file and the key', (_, value, message) => {
    expect(() => readPriceOverrides(value, 'prices.json')).toThrow(
      expect.objectContaining({ code: 'invalid-settings', message: expect.stringMatching(message) }),
    )
  })
})
