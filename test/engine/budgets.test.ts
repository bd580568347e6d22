import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StandingBudget } from '../../src/domain/budget.ts'
import { costUsd } from '../../src/domain/cost.ts'
import { openStandingBudgets } from '../../src/engine/standing-budgets.ts'
import { type InputOf, Tactic } from '../../src/index.ts'
import { createMemoryBudgetStore } from '../../src/stores/memory-budget-store.ts'
import { callsTool, fails, hangs, saysJson } from '../../src/testing/answers.ts'
import { type Answer, says, testUsage } from '../../src/testing/scripted-model.ts'
import { manualClock } from '../../src/testing/test-world.ts'
import { house } from '../support/house.ts'

/** Asks as often as it is told, one time after the other, or all at once. */
class Asker extends Tactic({ name: 'asker', agents: ['writer'] }) {
  async call(times: InputOf<typeof Asker>) {
    const count = Number.parseInt(times, 10)
    const ask = (index: number) => this.agents.writer.open(`${index}`).receive('go').respond()
    if (times.endsWith('at once')) await Promise.all(Array.from({ length: count }, (_, index) => ask(index)))
    else for (let index = 0; index < count; index++) await ask(index)
    return 'done'
  }
}
class Parent extends Tactic({ name: 'parent', agents: ['writer'], tactics: { asker: Asker } }) {
  async call(times: InputOf<typeof Parent>) {
    await this.tactics.asker(times)
    return await this.tactics.asker(times)
  }
}
class Grandparent extends Tactic({ name: 'grandparent', agents: [], tactics: { parent: Parent } }) {
  async call(times: InputOf<typeof Grandparent>) {
    return await this.tactics.parent(times)
  }
}

/** 100 tokens at 1e-6 USD and 20 at 2e-6 USD. */
const replyUsd = 0.000_14
/** With completions of at most 20 tokens, the worst case of a request is below this, and above half of it. */
const worstUsd = 0.000_16
const short = { model_args: { max_completion_tokens: 20 } }

const total = (limitUsd: number): StandingBudget => ({
  scope: { kind: 'total' },
  limitPicoUsd: BigInt(Math.round(limitUsd * 1e12)),
  per: 'day',
})

async function standing(...budgets: readonly StandingBudget[]) {
  return openStandingBudgets(budgets, createMemoryBudgetStore(), manualClock().clock)
}

describe('the budget of a call', () => {
  test('ends it before the request that could pass it, with what was spent in the session', async () => {
    const { session, model, stored } = house({ tactics: [Asker], global: short })
    const report = await session('10', { budgetUsd: 2 * replyUsd + worstUsd })
    expect(report).toMatchObject({
      ok: false,
      error: {
        code: 'budget-exceeded',
        message: expect.stringContaining('the call of "asker"'),
        data: {
          budget: { unit: 'usd', limit: 0.000_44, spent: expect.closeTo(3 * replyUsd), reserved: 0 },
        },
      },
      session: { state: 'failure', endReason: 'budget', error: { code: 'budget-exceeded' } },
    })
    expect(costUsd(report.session.cost)).toBeCloseTo(3 * replyUsd)
    expect(model.requests).toHaveLength(3)
    expect(stored).toHaveLength(1)
  })

  test('is that of all below it', async () => {
    const { session, model } = house({ tactics: [Grandparent, Parent, Asker], global: short })
    const { session: recorded } = await session('2', { budgetUsd: 2 * replyUsd + worstUsd })
    expect(model.requests).toHaveLength(3)
    expect(recorded).toMatchObject({
      endReason: 'budget',
      subSessions: [
        { endReason: 'budget', subSessions: [{ state: 'success' }, { state: 'failure', endReason: 'budget' }] },
      ],
    })
  })

  test('counts what was retried and what failed', async () => {
    const billed = fails('failed', { mayBeBilled: true })
    const { session, model } = house({
      tactics: [Asker],
      global: short,
      model: [billed, fails('failed'), 'fine', 'fine', 'fine'],
    })
    const { session: recorded } = await session('10', { budgetUsd: 3 * worstUsd })
    // The first may have cost as much as it could, the second nothing; then there is room for two.
    expect(recorded).toMatchObject({ endReason: 'budget' })
    expect(model.requests.length).toBeGreaterThanOrEqual(4)
    expect(model.requests.length).toBeLessThanOrEqual(5)
  })

  test('lets requests at once wait for one another rather than fail', async () => {
    const { session, model } = house({ tactics: [Asker], global: short })
    const { ok } = await session('5 at once', { budgetUsd: 4 * replyUsd + worstUsd })
    expect([ok, model.requests.length, model.mostInFlight]).toEqual([true, 5, 4])
  })

  test('bounds completions that nothing else bounds, in the request that is sent', async () => {
    const { session, model } = house({ tactics: [Asker] })
    const { session: recorded } = await session('1', { budgetUsd: 1 })
    expect(model.requests[0]?.modelArgs).toEqual({ max_completion_tokens: 4_096 })
    expect(recorded.agentCalls[0]?.llmCalls[0]?.request.args).toEqual({ max_completion_tokens: 4_096 })
  })

  test('leaves requests alone where there is none', async () => {
    const { session, model } = house({ tactics: [Asker] })
    await session('1')
    expect(model.requests[0]?.modelArgs).toEqual({})
  })

  test('refuses a model whose price nobody knows, before anything is sent', async () => {
    const { session, model } = house({ tactics: [Asker], global: { model_name: 'mystery' } })
    const report = await session('1', { budgetUsd: 1 })
    expect(report).toMatchObject({ ok: false, error: { code: 'unpriced-model' }, session: { state: 'failure' } })
    expect(model.requests).toHaveLength(0)
  })

  test('counts such a model by the ceiling that its config gives', async () => {
    const ceiling_price = { input_per_mtok: 1, output_per_mtok: 2 }
    const unknown = says('fine', { model: 'mystery-1' })
    const { session } = house({
      tactics: [Asker],
      global: { ...short, model_name: 'mystery', ceiling_price },
      model: unknown,
    })
    const { session: recorded } = await session('10', { budgetUsd: 2 * replyUsd + worstUsd })
    expect(recorded).toMatchObject({ endReason: 'budget', cost: { pricedCalls: 0, unpricedCalls: 3 } })
  })

  test('does not keep the process busy with a tactic that asks for ever', async () => {
    class Stubborn extends Tactic({ name: 'stubborn', agents: ['writer'] }) {
      async call(): Promise<string> {
        this.agents.writer.open('x').receive('go')
        for (;;) await this.agents.writer.respond().catch(() => {})
      }
    }
    const { session } = house({ tactics: [Stubborn] })
    const stop = new AbortController()
    const ended = session('go', { budgetUsd: 1e-9, signal: stop.signal })
    await new Promise((resolve) => setTimeout(resolve, 1))
    stop.abort()
    expect(await ended).toMatchObject({ ok: false, session: { state: 'cancelled' } })
  })
})

describe('the budget of a batch', () => {
  test('is that of all of its calls together', async () => {
    const { call, model } = house({ tactics: [Asker], global: short })
    const settled = await call.batch(Array(20).fill('1'), { maxWorkers: 5, budgetUsd: 9 * replyUsd + worstUsd })
    expect(settled.filter(({ status }) => status === 'success')).toHaveLength(10)
    expect(model.requests).toHaveLength(10)
    expect(settled.find(({ status }) => status === 'failure')).toMatchObject({ error: { code: 'budget-exceeded' } })
  })
})

describe('the limits of a config', () => {
  test.each([
    [{ llm_calls: 3 }, { unit: 'llm_calls', limit: 3, spent: 3 }, 3],
    [{ tokens: 400 }, { unit: 'tokens', limit: 400, spent: 360 }, 3],
    [{ budget_usd: 2 * replyUsd + worstUsd }, { unit: 'usd' }, 3],
  ])('%j hold for each call', async (limits, budget, requests) => {
    const { session, model } = house({ tactics: [Asker], global: short, limits })
    const report = await session('10')
    expect(report).toMatchObject({ ok: false, error: { data: { budget } }, session: { endReason: 'budget' } })
    expect(model.requests).toHaveLength(requests)
    expect(await session('1')).toMatchObject({ ok: true })
  })

  test('are narrowed by the request, never widened', async () => {
    const { session } = house({ tactics: [Asker], global: short, limits: { budget_usd: worstUsd } })
    expect(await session('3', { budgetUsd: 1 })).toMatchObject({ error: { data: { budget: { limit: worstUsd } } } })
    expect(await session('3', { budgetUsd: worstUsd / 2 })).toMatchObject({
      error: { data: { budget: { limit: worstUsd / 2 } } },
    })
  })

  test.each([
    [0, 'parent'],
    [1, 'asker'],
  ])('allow %i levels of sub-tactics', async (depth, refused) => {
    const { session, model } = house({ tactics: [Grandparent, Parent, Asker], limits: { depth } })
    const report = await session('1')
    expect(report).toMatchObject({
      ok: false,
      error: {
        code: 'budget-exceeded',
        data: { budget: { unit: 'depth', limit: depth, name: 'the call of "grandparent"' } },
      },
      session: { endReason: 'budget' },
    })
    const below = report.session.subSessions[0]
    expect((depth === 0 ? below : below?.subSessions[0])?.tactic).toBe(refused)
    expect(model.requests).toHaveLength(0)
  })

  test('end a call that takes longer than they allow', async () => {
    const { session } = house({ tactics: [Asker], limits: { timeout_ms: 5 }, model: hangs() })
    expect(await session('1', { timeoutMs: 60_000 })).toMatchObject({
      error: { code: 'deadline-exceeded' },
      session: { endReason: 'deadline' },
    })
  })
})

describe('standing budgets', () => {
  test('are spent from by calls, by their sub-tactics and by batches alike, once each', async () => {
    const budgets = await standing(
      total(1),
      {
        ...total(1),
        scope: { kind: 'tactic', tactic: 'asker' },
      },
      { ...total(1), scope: { kind: 'tag', key: 'team', value: null } },
    )
    const { call } = house({ tactics: [Parent, Asker], global: short, budgets })
    await call('1', { tags: { team: 'red' } })
    await call.batch(['1', '1'], { tags: { team: 'blue' } })
    const spent = budgets.statuses().map(({ spentPicoUsd, reservedPicoUsd }) => [Number(spentPicoUsd), reservedPicoUsd])
    expect(spent).toEqual(Array(3).fill([6 * 140_000_000, 0n]))
  })

  test('are charged in full for a request that was given up, because the provider may finish it', async () => {
    const budgets = await standing(total(1))
    const stop = new AbortController()
    const { session } = house({ tactics: [Asker], global: short, budgets, model: hangs(() => stop.abort()) })
    await session('1', { signal: stop.signal })
    const [status] = budgets.statuses()
    expect(status?.reservedPicoUsd).toBe(0n)
    expect(Number(status?.spentPicoUsd) / 1e12).toBeGreaterThan(worstUsd / 2)
  })
})

const usage = fc.record({
  promptTokens: fc.nat(80),
  cachedPromptTokens: fc.constant(0),
  completionTokens: fc.nat(20),
  reasoningTokens: fc.constant(0),
})
const answer: fc.Arbitrary<Answer> = fc.oneof(
  usage.map((used) => says('fine', { usage: used })),
  usage.map((used) => saysJson({ usage: used })),
  usage.map((used) => callsTool('none', {}, { usage: used })),
  usage.map((used) => fails('garbled', { usage: used, mayBeBilled: true })),
  fc.constantFrom(
    says('fine', { usage: null }),
    fails('failed'),
    fails('unreachable', { mayBeBilled: true }),
    fails('rejected'),
  ),
)

test('whatever is answered, fails or is stopped: no budget is passed at any moment, and nothing stays reserved', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { minLength: 1, maxLength: 8 }),
      fc.array(fc.constantFrom('1', '3', '3 at once', '6 at once'), { minLength: 1, maxLength: 6 }),
      fc.record({ call: fc.nat(1_000), batch: fc.nat(2_000), total: fc.nat(2_000), stopAt: fc.nat(30) }),
      async (answers, tasks, { call: callLimit, batch, total: totalLimit, stopAt }) => {
        const budgets = await standing(total(totalLimit * 1e-6))
        const stop = new AbortController()
        let asked = 0
        const { call, stored } = house({
          tactics: [Parent, Asker],
          global: { ...short, max_exception_retry: 1, max_llm_recall: 1, max_interrupt_steps: 2 },
          limits: { budget_usd: callLimit * 1e-6 + 1e-12 },
          budgets,
          async model(request, signal) {
            const [{ spentPicoUsd, reservedPicoUsd } = { spentPicoUsd: 0n, reservedPicoUsd: 0n }] = budgets.statuses()
            expect(spentPicoUsd + reservedPicoUsd).toBeLessThanOrEqual(BigInt(totalLimit) * 1_000_000n)
            if (++asked === stopAt) setImmediate(() => stop.abort())
            const answerNow = answers[asked % answers.length] as Answer
            await Promise.resolve()
            return answerNow(request, signal)
          },
        })
        await call.batch(tasks, { signal: stop.signal, budgetUsd: batch * 1e-6 + 1e-12, maxWorkers: 3 })
        const billed = stored.map(({ cost }) => cost.promptPicoUsd + cost.completionPicoUsd)
        for (const cost of billed) expect(cost).toBeLessThanOrEqual(callLimit * 1e6 + 1)
        expect(billed.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(Math.min(batch, totalLimit) * 1e6 + 1)
        for (const { reservedPicoUsd } of budgets.statuses()) expect(reservedPicoUsd).toBe(0n)
      },
    ),
    { numRuns: 150 },
  )
})

test('the figures of this file are what they say they are', () => {
  expect(testUsage).toMatchObject({ promptTokens: 100, completionTokens: 20 })
})

describe('a refusal by a budget that all tenants share', () => {
  const refusedTo = async (tenant: string, budget: StandingBudget) => {
    const { session } = house({ tactics: [Asker], global: short, budgets: await standing(budget) })
    await session('1', { tenant: 'acme' })
    const report = await session('1', { tenant })
    return report.ok ? undefined : report.error
  }

  test('tells a tenant its name, and not what others have spent', async () => {
    const error = await refusedTo('globex', total(worstUsd))
    expect(error).toMatchObject({
      code: 'budget-exceeded',
      message: 'The limit of the total budget per day, which all tenants share, could be passed.',
    })
    expect(error?.data).toEqual({ budget: { name: 'the total budget per day', unit: 'usd' } })
  })

  test('tells the operator how it stands, and a tenant how a budget of its own does', async () => {
    const figures = { limit: worstUsd, spent: expect.closeTo(replyUsd), reserved: 0, needed: expect.any(Number) }
    const expected = { data: { budget: figures }, message: expect.stringContaining('are spent') }
    expect(await refusedTo('default', total(worstUsd))).toMatchObject(expected)
    expect(await refusedTo('acme', { ...total(worstUsd), tenant: 'acme' })).toMatchObject(expected)
  })
})
