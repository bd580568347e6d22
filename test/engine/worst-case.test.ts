import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelRequest } from '../../src/domain/invoker.ts'
import type { Message } from '../../src/domain/message.ts'
import { boundCompletion, completionTokensDefault, type Pricing, worstCase } from '../../src/engine/worst-case.ts'
import { says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { testPrices } from '../support/house.ts'

function ask(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'test-model',
    apiType: 'completion',
    messages: [{ role: 'user', content: 'hello' }],
    modelArgs: {},
    tools: [],
    ...more,
  }
}

const pricing: Pricing = {
  agent: { name: 'writer' },
  choice: { model: 'test-model', invoker: scriptedModel(says('')).invoker },
  prices: testPrices,
  nowMs: 0,
}

describe('the completion of a request under a limit', () => {
  test.each([
    [{ max_completion_tokens: 10 }, 10],
    [{ max_tokens: 20 }, 20],
    [{ max_tokens: 20, max_completion_tokens: 10 }, 20],
    [{ max_tokens: 20, n: 3 }, 60],
  ])('is bounded by what config says: %j', (modelArgs, completionTokens) => {
    const request = ask({ modelArgs })
    expect(boundCompletion(request)).toBe(request)
    const prompt = worstCase(ask(), null).tokens
    expect(worstCase(request, null).tokens - prompt).toBe(BigInt(completionTokens))
  })

  test.each([
    ['completion', {}, 'max_completion_tokens'],
    ['completion', { max_output_tokens: 5 }, 'max_completion_tokens'],
    ['completion', { max_tokens: -1 }, 'max_completion_tokens'],
    ['completion', { max_completion_tokens: 'many' }, 'max_completion_tokens'],
    ['response', { max_tokens: 5 }, 'max_output_tokens'],
  ] as const)('is bounded in the request itself where config does not: %s %j', (apiType, modelArgs, name) => {
    const bounded = boundCompletion(ask({ apiType, modelArgs }))
    expect(bounded.modelArgs).toEqual({ ...modelArgs, [name]: completionTokensDefault })
  })
})

describe('the worst case', () => {
  const tokensOf = (more: Partial<ModelRequest>) => worstCase(ask(more), null).tokens - worstCase(ask(), null).tokens

  test('counts everything that is sent: names, tool calls, tools, schemas', () => {
    const plain: Message[] = [{ role: 'user', content: 'hello' }]
    const tool = { name: 'add', description: 'Adds.', parameters: {}, strict: false }
    const call = { id: 'call', name: 'add', arguments: '{"left": 1}' }
    expect(tokensOf({ messages: [{ role: 'user', content: 'hello', name: 'critic' }] })).toBe(6n)
    expect(tokensOf({ tools: [tool] })).toBe(BigInt(JSON.stringify([tool]).length))
    expect(tokensOf({ messages: [...plain, { role: 'assistant', content: '', toolCalls: [call] }] })).toBeGreaterThan(
      50n,
    )
    const format = { kind: 'json', name: 'x', schema: { type: 'string' }, strict: true, full: {} } as const
    expect(tokensOf({ format })).toBe(BigInt(JSON.stringify(format.schema).length))
    expect(tokensOf({ messages: [{ role: 'user', content: [{ type: 'image', url: 'https://x' }] }] })).toBeGreaterThan(
      40_000n,
    )
  })

  test('is at least a token for each byte, which no tokenizer of bytes exceeds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (content) => {
        const { tokens } = worstCase(ask({ messages: [{ role: 'user', content }] }), null)
        expect(Number(tokens)).toBeGreaterThanOrEqual(Buffer.byteLength(content))
      }),
    )
  })

  test('costs what its tokens cost, none of them cached', () => {
    const request = ask({ modelArgs: { max_tokens: 100 } })
    const { tokens, usd } = worstCase(request, pricing)
    expect(usd).toBe((tokens - 100n) * 1_000_000n + 100n * 2_000_000n)
  })

  test('costs what cached tokens cost where those are dearer', () => {
    const prices = {
      price: (_: unknown, { cachedPromptTokens }: { readonly cachedPromptTokens: number }) => ({
        promptPicoUsd: 1 + cachedPromptTokens,
        completionPicoUsd: 0,
      }),
    }
    const { usd, tokens } = worstCase(ask(), { ...pricing, prices })
    expect(usd).toBe(1n + tokens)
  })

  test('of a model without a price is refused, unless the config gives a ceiling', () => {
    const unknown = { ...pricing, choice: { ...pricing.choice, model: 'mystery' } }
    expect(() => worstCase(ask(), unknown)).toThrow(
      expect.objectContaining({ code: 'unpriced-model', message: expect.stringContaining('ceiling_price') }),
    )
    const agent = { name: 'writer', ceilingPrice: { promptPicoUsd: 7, completionPicoUsd: 9 } }
    const { usd, tokens } = worstCase(ask({ modelArgs: { max_tokens: 100 } }), { ...unknown, agent })
    expect(usd).toBe((tokens - 100n) * 7n + 900n)
  })

  test('of a simulated model costs nothing', () => {
    const invoker = { ...pricing.choice.invoker, simulated: true }
    expect(worstCase(ask(), { ...pricing, choice: { model: 'x', invoker } }).usd).toBe(0n)
  })
})
