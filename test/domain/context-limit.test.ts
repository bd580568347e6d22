import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateTokens, limitContext, startOfLastTurn } from '../../src/domain/context-limit.ts'
import type { Message } from '../../src/domain/message.ts'
import { conversation, partedResults } from './conversations.ts'

const system: Message = { role: 'system', content: 'system' }
const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const limit = fc.record({ type: fc.constantFrom('drop', 'truncate'), maxTokens: fc.integer({ min: 1, max: 300 }) })

describe('whatever the conversation and the limit', () => {
  test('the system message and the last turn stay, whole', () => {
    fc.assert(
      fc.property(conversation, limit, (messages, contextLimit) => {
        const all = [system, ...messages]
        const kept = limitContext(all, contextLimit)
        const lastTurn = all.slice(Math.max(1, startOfLastTurn(all)))
        expect(kept[0]).toEqual(system)
        expect(kept.slice(kept.length - lastTurn.length)).toEqual(lastTurn)
      }),
    )
  })

  test('tool calls stay with their results', () => {
    fc.assert(
      fc.property(conversation, limit, (messages, contextLimit) => {
        expect(partedResults(limitContext([system, ...messages], contextLimit))).toEqual([])
      }),
    )
  })

  test('what is kept fits, unless the system message and the last turn alone do not', () => {
    fc.assert(
      fc.property(conversation, limit, (messages, contextLimit) => {
        const all = [system, ...messages]
        const least = estimateTokens([system, ...all.slice(Math.max(1, startOfLastTurn(all)))])
        expect(estimateTokens(limitContext(all, contextLimit))).toBeLessThanOrEqual(
          Math.max(contextLimit.maxTokens, least),
        )
      }),
    )
  })

  test('a conversation that fits is left as it is', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const all = [system, user('the first'), ...messages]
        expect(limitContext(all, { type: 'drop', maxTokens: estimateTokens(all) })).toEqual(all)
      }),
    )
  })
})

const long = [
  system,
  user('a'.repeat(400)),
  assistant('b'.repeat(400)),
  user('c'.repeat(400)),
  assistant('d'),
  user('last'),
]

test('drop removes whole turns from the oldest', () => {
  expect(limitContext(long, { type: 'drop', maxTokens: 150 })).toEqual([system, ...long.slice(3)])
  expect(limitContext(long, { type: 'drop', maxTokens: 230 })).toEqual([system, ...long.slice(3)])
})

test('truncate also keeps the end of the oldest message that fits in part', () => {
  const kept = limitContext(long, { type: 'truncate', maxTokens: 150 })
  expect(kept).toHaveLength(5)
  expect(kept[1]).toMatchObject({ role: 'assistant', content: expect.stringMatching(/^\[…\] b+$/) })
})

test('a cut never halves a character', () => {
  for (let maxTokens = 20; maxTokens < 60; maxTokens++) {
    const kept = limitContext([system, user('🐝'.repeat(50)), user('x'), assistant('y'), user('last')], {
      type: 'truncate',
      maxTokens,
    })
    expect(JSON.stringify(kept)).not.toContain('\ufffd')
  }
})

test('the estimate is corrected by what the provider counted', () => {
  expect(limitContext(long, { type: 'drop', maxTokens: 300 }, { scale: 3 })).toEqual([system, user('last')])
})

test('a turn may begin before its last message of the user', () => {
  const kept = limitContext(long, { type: 'drop', maxTokens: 1 }, { lastTurnStart: 3 })
  expect(kept).toEqual([system, ...long.slice(3)])
})

test('images, tool calls and texts count', () => {
  expect(estimateTokens([user('12345678')])).toBe(6)
  expect(estimateTokens([user('ありがとう')])).toBe(8)
  expect(estimateTokens([{ role: 'user', content: [{ type: 'image', url: 'https://example.org' }] }])).toBe(1004)
  expect(
    estimateTokens([{ ...assistant(''), toolCalls: [{ id: '1', name: 'look', arguments: '1234' }] } as Message]),
  ).toBe(6)
})
