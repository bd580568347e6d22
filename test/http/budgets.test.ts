import { expect, test } from 'vitest'
import { windowAt } from '../../src/domain/budget.ts'
import { toBudgetList } from '../../src/http/budget-answer.ts'
import { budgetList } from '../../src/http/openapi/budget-schemas.ts'
import { openService } from './service.ts'

const window = windowAt('day', Date.UTC(2026, 10, 22, 10))
const usd = (amount: number) => BigInt(Math.round(amount * 1e12))

test('a service without budgets has none to show', async () => {
  const { server } = await openService()
  const answer = await server.inject('/budgets')
  expect([answer.statusCode, answer.json()]).toEqual([200, { data: [], next_cursor: null }])
})

test('a budget is shown with its limit, what was spent, is reserved and is left, and when it starts anew', () => {
  const list = toBudgetList(
    [
      {
        budget: { scope: { kind: 'tactic', tactic: 'essay' }, limitPicoUsd: usd(5), per: 'day' },
        window,
        spentPicoUsd: usd(1.5),
        reservedPicoUsd: usd(0.25),
        values: [],
        valueCount: 0,
      },
    ],
    'default',
  )
  expect(list.data).toEqual([
    {
      scope: 'tactic',
      tactic: 'essay',
      tag: null,
      value: null,
      key: null,
      tenant: null,
      per: 'day',
      limit_usd: 5,
      spent_usd: 1.5,
      reserved_usd: 0.25,
      left_usd: 3.25,
      starts_at: '2026-11-22T00:00:00.000Z',
      resets_at: '2026-11-23T00:00:00.000Z',
      values: [],
      value_count: 0,
    },
  ])
  expect(budgetList.safeParse(list).error).toBeUndefined()
})

test('of a budget for each value of a tag, the sums and the values are shown; less than nothing is never left', () => {
  const list = toBudgetList(
    [
      {
        budget: { scope: { kind: 'tag', key: 'team', value: null }, limitPicoUsd: usd(5), per: 'day' },
        window,
        spentPicoUsd: usd(7),
        reservedPicoUsd: 0n,
        values: [
          { value: 'red', spentPicoUsd: usd(6), reservedPicoUsd: 0n },
          { value: 'blue', spentPicoUsd: usd(1), reservedPicoUsd: 0n },
        ],
        valueCount: 2,
      },
    ],
    'default',
  )
  expect(list.data[0]).toMatchObject({
    tag: 'team',
    spent_usd: 7,
    left_usd: null,
    values: [
      { value: 'red', left_usd: 0 },
      { value: 'blue', left_usd: 4 },
    ],
  })
  expect(budgetList.safeParse(list).error).toBeUndefined()
})

test('a tenant is shown its own budgets, and those of all together only the operator', () => {
  const spent = { window, spentPicoUsd: 0n, reservedPicoUsd: 0n, values: [], valueCount: 0 }
  const total = { scope: { kind: 'total' }, limitPicoUsd: usd(5), per: 'day' } as const
  const key = { scope: { kind: 'key', account: 'k1' }, tenant: 'acme', limitPicoUsd: usd(1), per: 'month' } as const
  const statuses = [total, { ...total, tenant: 'acme' }, key].map((budget) => ({ budget, ...spent }))
  const shownTo = (tenant: string) => toBudgetList(statuses, tenant).data.map(({ scope, key: id }) => id ?? scope)
  expect([shownTo('default'), shownTo('acme'), shownTo('globex')]).toEqual([['total'], ['total', 'k1'], []])
})
