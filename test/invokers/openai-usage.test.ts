import { describe, expect, test } from 'vitest'
import { readChatUsage, readResponsesUsage } from '../../src/invokers/openai-usage.ts'

describe('usage', () => {
  test('counts cached tokens into the prompt and reasoning tokens into the completion', () => {
    const details = { prompt_tokens_details: { cached_tokens: 60 }, completion_tokens_details: { reasoning_tokens: 7 } }
    expect(readChatUsage({ prompt_tokens: 100, completion_tokens: 20, ...details })).toEqual({
      promptTokens: 100,
      cachedPromptTokens: 60,
      completionTokens: 20,
      reasoningTokens: 7,
    })
  })

  test.each([{}, { prompt_tokens_details: null }, { prompt_tokens_details: { cached_tokens: null } }])(
    'takes details that are left out (%j) for zero',
    (details) => {
      const usage = readChatUsage({ prompt_tokens: 100, completion_tokens: 20, ...details })
      expect(usage).toMatchObject({ cachedPromptTokens: 0, reasoningTokens: 0 })
    },
  )

  test.each([
    ['missing', undefined],
    ['null', null],
    ['a text', 'many'],
    ['half', { prompt_tokens: 5 }],
    ['negative', { prompt_tokens: -5, completion_tokens: 1 }],
    ['fractional', { prompt_tokens: 5.5, completion_tokens: 1 }],
    ['text in numbers', { prompt_tokens: '5', completion_tokens: 1 }],
    ['beyond whole numbers', { prompt_tokens: 2 ** 60, completion_tokens: 1 }],
    ['more cached than all', { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } }],
    [
      'more reasoning than all',
      { prompt_tokens: 5, completion_tokens: 1, completion_tokens_details: { reasoning_tokens: 2 } },
    ],
    ['details of text', { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 'all' } }],
  ])('is unknown when it is %s', (_, usage) => {
    expect(readChatUsage(usage)).toBeNull()
  })

  test('is read from the words of the responses API', () => {
    const usage = { input_tokens: 100, output_tokens: 20, input_tokens_details: { cached_tokens: 60 } }
    expect(readResponsesUsage(usage)).toMatchObject({ promptTokens: 100, cachedPromptTokens: 60, completionTokens: 20 })
    expect(readResponsesUsage({ prompt_tokens: 100, completion_tokens: 20 })).toBeNull()
  })
})
