import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import { says } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import { replyUsage, replyUsd, startTwo } from './two-services.ts'

/** What a researcher and the note below it cost together. */
const callUsd = 2 * replyUsd

const batch = (count: number) => {
  const tasks = JSON.stringify(range(count).map((index) => `task ${index}`))
  return `const settled = await this.tactics.research.batch(${tasks}, { maxWorkers: ${count} })
    return settled.map(({ status }) => status).join()`
}

describe('a budget is never passed by remote calls:', () => {
  test('that of their caller, however many there are at once', async () => {
    const { near, provider } = await startTwo({ call: batch(12) })
    const { body } = await near.call('chief', 'go', { budget_usd: 5.5 * callUsd, return_session: true })
    expect(provider.chargedPicoUsd).toBeLessThanOrEqual(5.5 * callUsd * 1e12)
    // What they have cost is known to the last pico-USD, so that nothing is lost but what a further call might cost.
    expect(provider.chargedPicoUsd).toBe(5 * 2 * 105_000_000)
    expect(body.cost_usd).toBe(provider.chargedPicoUsd / 1e12)
    const statuses = String(body.result).split(',')
    expect(statuses.filter((status) => status === 'success')).toHaveLength(5)
    expect(statuses.slice(0, 5)).not.toContain('failure')
  })

  test('a standing one, while other calls spend from it as well', async () => {
    const limitUsd = 10.5 * callUsd
    const { near, provider } = await startTwo({
      budgets: `budgets:\n  - { scope: total, limit_usd: ${limitUsd}, per: month }\n`,
      remote: (url) => `remoteTactic('${url}', 'researcher', { budgetUsd: ${1.2 * callUsd} })`,
      call: `await this.agents.writer.open('plan').receive(task).respond()
    return await this.tactics.research(task)`,
    })
    await Promise.all(range(20).map((index) => near.call('chief', `task ${index}`)))
    expect(provider.chargedPicoUsd).toBeLessThanOrEqual(limitUsd * 1e12)
    expect(provider.chargedPicoUsd).toBeGreaterThanOrEqual(0.8 * limitUsd * 1e12)
    const [budget] = (await near.get<{ data: readonly Record<string, number>[] }>('/budgets')).body.data
    expect(budget).toMatchObject({ spent_usd: provider.chargedPicoUsd / 1e12, reserved_usd: 0 })
  })

  test('with a bound of their own they are under way at once', async () => {
    const { near, provider } = await startTwo({
      call: batch(4),
      remote: (url) => `remoteTactic('${url}', 'researcher', { budgetUsd: ${2 * callUsd} })`,
      script: async (_request, index) => {
        // Nobody goes on before all four have come.
        if (index < 4) await provider.until(({ requests }) => requests.length >= 4)
        return says('fine', { usage: replyUsage })
      },
    })
    const { body } = await near.call('chief', 'go', { budget_usd: 8 * callUsd })
    expect(body.result).toBe('success,success,success,success')
  })

  test('of a call that cannot be learnt, all that was set aside counts as spent', async () => {
    const { near, far } = await startTwo({
      call: 'await this.tactics.research(task).catch(() => {}); return await this.tactics.research(task)',
    })
    far.server.server.prependListener('request', ({ socket }) => void socket.destroy())
    const { body } = await near.call('chief', 'go', { budget_usd: 1, return_session: true })
    expect(body).toMatchObject({ code: 'budget-exceeded', budget: { unit: 'usd', limit: 1, spent: 1 } })
    const { sub_sessions: children } = await near.session(body.session_id)
    expect(children).toMatchObject([
      { error: { code: 'remote-failed' }, cost: { cost_usd: null, unpriced_calls: 1 } },
      { error: { code: 'budget-exceeded' }, end_reason: 'budget', cost: { unpriced_calls: 0 } },
    ])
  })
})

describe('other limits hold across services:', () => {
  test('the depth of sub-tactics', async () => {
    const enough = await startTwo({ limits: 'limits: { depth: 2 }' })
    expect((await enough.near.call('chief', 'go')).status).toBe(200)
    const { near } = await startTwo({ limits: 'limits: { depth: 1 }' })
    const { body } = await near.call('chief', 'go')
    expect(body).toMatchObject({ code: 'budget-exceeded', budget: { unit: 'depth' }, cost_usd: replyUsd })
    const none = await startTwo({ limits: 'limits: { depth: 0 }' })
    expect((await none.near.call('chief', 'go')).body).toMatchObject({ code: 'budget-exceeded', cost_usd: 0 })
  })

  test('requests to models', async () => {
    const { near, provider } = await startTwo({ limits: 'limits: { llm_calls: 3 }', call: batch(3) })
    const { body } = await near.call('chief', 'go', { return_session: true })
    expect(provider.requests).toHaveLength(3)
    const states = (body.session as SessionRecord).sub_sessions.map(({ state, llm_call_count }) => [
      state,
      llm_call_count,
    ])
    expect(states).toEqual([
      ['success', 2],
      ['failure', 1],
      ['failure', 0],
    ])
  })

  test('tokens', async () => {
    const { near } = await startTwo({ limits: 'limits: { tokens: 1000 }', call: batch(3) })
    const { body } = await near.call('chief', 'go', { return_session: true })
    expect((body.session as SessionRecord).cost.total_tokens).toBeLessThanOrEqual(1_000)
    expect(String(body.result)).toContain('success')
  })
})
