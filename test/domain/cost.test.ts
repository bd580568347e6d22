import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addCosts, type Cost, costOf, costUsd, noCost, noUsage, toUsd } from '../../src/domain/cost.ts'

const usage = { promptTokens: 10, cachedPromptTokens: 4, completionTokens: 5, reasoningTokens: 2 }
const price = { promptPicoUsd: 1_500_000, completionPicoUsd: 3_000_000 }
const cost = fc.record(
  Object.fromEntries(Object.keys(noCost).map((field) => [field, fc.nat(1e9)])),
) as fc.Arbitrary<Cost>

test('cached tokens are part of the prompt, reasoning tokens of the completion: the total has each once', () => {
  expect(costOf(usage, price)).toEqual({ ...usage, ...price, totalTokens: 15, pricedCalls: 1, unpricedCalls: 0 })
})

test('without a price or without usage a call is unpriced, and its tokens are counted where they are known', () => {
  expect(costOf(usage, null)).toMatchObject({ promptTokens: 10, promptPicoUsd: 0, pricedCalls: 0, unpricedCalls: 1 })
  expect(costOf(null, price)).toMatchObject({ ...noUsage, promptPicoUsd: 0, pricedCalls: 0, unpricedCalls: 1 })
})

test('a price of 0 is a price', () => {
  expect(costUsd(costOf(usage, { promptPicoUsd: 0, completionPicoUsd: 0 }))).toBe(0)
})

test('sums are exact and do not depend on the order or the grouping', () => {
  fc.assert(
    fc.property(fc.array(cost), fc.array(cost), (left, right) => {
      const whole = addCosts([...left, ...right])
      expect(addCosts([...right, ...left])).toEqual(whole)
      expect(addCosts([addCosts(left), addCosts(right)])).toEqual(whole)
    }),
  )
})

test('nothing costs nothing', () => {
  expect(addCosts([])).toEqual(noCost)
  expect(costUsd(noCost)).toBe(0)
})

test('money is unknown where nothing could be priced, and what is known otherwise', () => {
  const unpriced = costOf(usage, null)
  expect(costUsd(unpriced)).toBeNull()
  expect(costUsd(addCosts([unpriced, costOf(usage, price)]))).toBe(0.0000045)
})

test('tenths of a cent do not drift: ten times $0.1 is $1', () => {
  const tenth = { ...noCost, promptPicoUsd: 100_000_000_000, pricedCalls: 1 }
  expect(costUsd(addCosts(Array(10).fill(tenth)))).toBe(1)
  expect(toUsd(1)).toBe(1e-12)
})
