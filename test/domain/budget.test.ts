import { describe, expect, test } from 'vitest'
import { budgetId, budgetName, windowAt } from '../../src/domain/budget.ts'
import { readBudgets } from '../../src/domain/budget-file.ts'
import { resolveConfig } from '../../src/domain/config.ts'
import { toPicoUsd } from '../../src/domain/limits.ts'
import { makePackage } from '../../src/domain/package.ts'

describe('the window of a budget', () => {
  test.each([
    ['day', '2026-11-22T13:45:00.000Z', '2026-11-22', '2026-11-23'],
    ['day', '2026-12-31T23:59:59.999Z', '2026-12-31', '2027-01-01'],
    ['day', '2028-02-29T00:00:00.000Z', '2028-02-29', '2028-03-01'],
    ['month', '2026-11-22T13:45:00.000Z', '2026-11-01', '2026-12-01'],
    ['month', '2026-12-31T23:59:59.999Z', '2026-12-01', '2027-01-01'],
  ] as const)('per %s at %s goes from %s until before %s, in UTC', (per, time, starts, ends) => {
    expect(windowAt(per, Date.parse(time))).toEqual({ startsAtMs: Date.parse(starts), endsAtMs: Date.parse(ends) })
  })
})

describe('a file of budgets', () => {
  const read = (budgets: unknown) => readBudgets({ budgets }, 'budgets.yaml')

  test('has budgets of all scopes', () => {
    const budgets = read([
      { scope: 'total', limit_usd: 50, per: 'day' },
      { scope: { tactic: 'essay' }, limit_usd: 0.5, per: 'month' },
      { scope: { tag: 'team' }, limit_usd: 5, per: 'day' },
      { scope: { tag: 'team', value: 'red' }, limit_usd: 7, per: 'day' },
    ])
    expect(budgets.map(({ limitPicoUsd }) => Number(limitPicoUsd) / 1e12)).toEqual([50, 0.5, 5, 7])
    expect(budgets.map(budgetId)).toEqual(['day total', 'month tactic essay', 'day tag team', 'day tag team=red'])
    expect(budgets.map((budget) => budgetName(budget, 'blue'))).toEqual([
      'the total budget per day',
      'the budget per month of the tactic "essay"',
      'the budget per day of the tag team=blue',
      'the budget per day of the tag team=red',
    ])
  })

  test.each([
    [{ scope: 'all', limit_usd: 1, per: 'day' }, '/budgets/0/scope: must be total'],
    [{ scope: { tactic: 'x', tag: 'y' }, limit_usd: 1, per: 'day' }, '/budgets/0/scope'],
    [{ scope: { tag: 'a b' }, limit_usd: 1, per: 'day' }, '/budgets/0/scope'],
    [{ scope: 'total', limit_usd: 0, per: 'day' }, '/budgets/0/limit_usd'],
    [{ scope: 'total', limit_usd: 1e7, per: 'day' }, '/budgets/0/limit_usd'],
    [{ scope: 'total', limit_usd: 1, per: 'week' }, '/budgets/0/per: must be day or month'],
    [{ scope: 'total', limit: 1, per: 'day' }, '/budgets/0'],
  ])('with a mistake is told with its place: %j', (budget, message) => {
    expect(() => read([budget])).toThrow(expect.objectContaining({ code: 'invalid-settings' }))
    expect(() => read([budget])).toThrow(`budgets.yaml: ${message}`)
  })

  test('has each budget once', () => {
    const budget = { scope: { tag: 'team' }, limit_usd: 1, per: 'day' }
    expect(() => read([budget, { ...budget, per: 'month' }])).not.toThrow()
    expect(() => read([budget, { ...budget, limit_usd: 2 }])).toThrow('/budgets/1: There is already a budget')
  })
})

test.each([
  [1, 10n ** 12n],
  [1_000_000, 10n ** 18n],
  [5_000_000, 10n ** 18n],
  [0.000_48, 480_000_000n],
  [0, 0n],
  [-1, 0n],
  [Number.NaN, 0n],
  [Number.POSITIVE_INFINITY, 10n ** 18n],
])('$%d are %d pico-USD', (usd, picoUsd) => {
  expect(toPicoUsd(usd)).toBe(picoUsd)
})

describe('the limits of a config', () => {
  const limitsOf = (limits: unknown) =>
    resolveConfig({ name: 'x', file: 'x.yaml', value: { limits } }, makePackage({ name: 'demo', version: '1.0.0' }))
      .limits

  test('are what is given, and nothing else is limited', () => {
    expect(limitsOf({})).toEqual({})
    expect(limitsOf({ budget_usd: 0.25, llm_calls: 20, tokens: 50_000, depth: 0, timeout_ms: 1 })).toEqual({
      budgetPicoUsd: 250_000_000_000n,
      llmCalls: 20,
      tokens: 50_000,
      depth: 0,
      timeoutMs: 1,
    })
  })

  test.each([
    { budget_usd: 0 },
    { budget_usd: 2e6 },
    { llm_calls: -1 },
    { tokens: 1.5 },
    { depth: 33 },
    { timeout_ms: 0 },
    { money: 1 },
  ])('that make no sense stop the start: %j', (limits) => {
    expect(() => limitsOf(limits)).toThrow(`x.yaml: /limits/${Object.keys(limits)[0]}`)
  })
})
