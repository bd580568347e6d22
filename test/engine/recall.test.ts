import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noCost } from '../../src/domain/cost.ts'
import { countLlmCalls } from '../../src/domain/session.ts'
import { recallDelay } from '../../src/engine/ask-model.ts'
import { callsTool, fails, hangs } from '../../src/testing/answers.ts'
import { says, testUsage } from '../../src/testing/scripted-model.ts'
import { Ask, doing } from '../support/ask.ts'
import { house } from '../support/house.ts'

describe('when the provider fails', () => {
  test('it is recalled at most max_llm_recall times', async () => {
    const { session, model } = house({ tactics: [Ask], model: fails('failed'), global: { max_llm_recall: 2 } })
    const report = await session('hello')
    expect(model.requests).toHaveLength(3)
    expect(report).toMatchObject({ ok: false, error: { code: 'provider-failed' } })
    expect(report.ok || report.error.message).toContain('3 times')
  })

  test('0 recalls means one request', async () => {
    const { session, model } = house({ tactics: [Ask], model: fails('failed'), global: { max_llm_recall: 0 } })
    expect((await session('hello')).ok).toBe(false)
    expect(model.requests).toHaveLength(1)
  })

  test.each([
    ['unreachable', 'provider-failed'],
    ['failed', 'provider-failed'],
    ['garbled', 'provider-failed'],
    ['rate-limited', 'provider-rate-limited'],
  ] as const)('%s is tried again and ends as %s', async (kind, code) => {
    const { session, model } = house({ tactics: [Ask], model: fails(kind) })
    expect(await session('hello')).toMatchObject({ ok: false, error: { code } })
    expect(model.requests).toHaveLength(3)
  })

  test('a request that was rejected is not sent again', async () => {
    const { session, model } = house({ tactics: [Ask], model: fails('rejected') })
    expect(await session('hello')).toMatchObject({ ok: false, error: { code: 'provider-rejected' } })
    expect(model.requests).toHaveLength(1)
  })

  test('the recalls are counted anew in each step', async () => {
    const { session, model } = house({
      tactics: [Ask],
      model: [fails('failed'), fails('failed'), callsTool('none'), fails('failed'), fails('failed'), says('done')],
    })
    const report = await session('hello')
    expect(report.ok).toBe(true)
    expect(model.requests).toHaveLength(6)
    const { llmCalls = [], retries = [] } = report.session.agentCalls[0] ?? {}
    expect(llmCalls.map(({ step, attempt }) => [step, attempt])).toEqual([
      ...[0, 1, 2].map((attempt) => [0, attempt]),
      ...[0, 1, 2].map((attempt) => [1, attempt]),
    ])
    expect(retries.map(({ kind, step }) => [kind, step])).toEqual([0, 0, 1, 1].map((step) => ['recall', step]))
  })

  test('an unusable reply in between does not give the step new recalls', async () => {
    const { session, model } = house({
      tactics: [Ask],
      model: [fails('failed'), says(''), fails('failed'), says(''), fails('failed'), says('never')],
    })
    expect(await session('hello')).toMatchObject({ ok: false, error: { code: 'provider-failed' } })
    expect(model.requests).toHaveLength(5)
  })

  test('a bug of an invoker is recorded as possibly paid and is not retried', async () => {
    const { session, model } = house({
      tactics: [Ask],
      model: () => {
        throw new TypeError('undefined is not a function')
      },
    })
    const { session: recorded } = await session('hello')
    expect(model.requests).toHaveLength(1)
    expect(recorded).toMatchObject({ state: 'failure', error: { code: 'tactic-failed' }, cost: { unpricedCalls: 1 } })
    expect(JSON.stringify(recorded)).not.toContain('undefined is not a function')
  })
})

describe('the wait before a recall', () => {
  test('is as long as the provider says', async () => {
    const limited = fails('rate-limited', { retryAfterMs: 90_000 })
    const { call, sleeps } = house({ tactics: [Ask], model: [limited, says('fine')] })
    expect(await call('hello')).toBe('fine')
    expect(sleeps).toEqual([90_000])
  })

  test('otherwise is a share of a ceiling that doubles', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
        const { session, sleeps } = house({
          tactics: [Ask],
          model: fails('failed'),
          global: { max_llm_recall: 8 },
          random,
        })
        await session('hello')
        const ceilings = sleeps.map((_, recall) => Math.min(recallDelay.ceilingMs, recallDelay.firstMs * 2 ** recall))
        expect(sleeps).toEqual(ceilings.map((ceiling) => Math.round(ceiling * random)))
      }),
      { numRuns: 20 },
    )
  })

  test('is recorded with its reason', async () => {
    const { session } = house({ tactics: [Ask], model: [fails('failed'), says('fine')] })
    const { retries } = (await session('hello')).session.agentCalls[0] ?? {}
    expect(retries).toEqual([{ kind: 'recall', step: 0, error: 'The provider failed: failed.', waitedMs: 250 }])
  })

  test('is not begun when the call would be over before: the provider is to blame, not the deadline', async () => {
    const limited = fails('rate-limited', { retryAfterMs: 60_000 })
    const { session, sleeps } = house({ tactics: [Ask], model: limited })
    const report = await session('hello', { timeoutMs: 30_000 })
    expect(report).toMatchObject({
      ok: false,
      error: { code: 'provider-rate-limited', data: { retryAfterMs: 60_000 } },
      session: { state: 'failure', endReason: null },
    })
    expect(sleeps).toEqual([])
  })

  test('knows the deadline of a whole batch too', async () => {
    const { call, sleeps } = house({ tactics: [Ask], model: fails('rate-limited', { retryAfterMs: 60_000 }) })
    const [item] = await call.batch(['hello'], { timeoutMs: 30_000 })
    expect(item).toMatchObject({ status: 'failure', error: { code: 'provider-rate-limited' } })
    expect(sleeps).toEqual([])
  })

  test('has a bound even where the call has none', async () => {
    const { session, sleeps } = house({
      tactics: [Ask],
      model: fails('rate-limited', { retryAfterMs: recallDelay.longestMs + 1 }),
    })
    expect((await session('hello')).ok).toBe(false)
    expect(sleeps).toEqual([])
  })
})

describe('what a request costs', () => {
  const costOfOnly = async (...model: readonly ReturnType<typeof says>[]) => {
    const { session } = house({ tactics: [Ask], model, global: { max_llm_recall: 0 } })
    return (await session('hello')).session
  }

  test('a reply with usage and a known price is priced', async () => {
    expect((await costOfOnly(says('fine'))).cost).toMatchObject({
      promptTokens: 100,
      cachedPromptTokens: 40,
      completionTokens: 20,
      reasoningTokens: 5,
      totalTokens: 120,
      promptPicoUsd: 100_000_000,
      completionPicoUsd: 40_000_000,
      pricedCalls: 1,
      unpricedCalls: 0,
    })
  })

  test('a reply without usage is unpriced, never free', async () => {
    const { cost } = await costOfOnly(says('fine', { usage: null }))
    expect(cost).toEqual({ ...noCost, unpricedCalls: 1 })
  })

  test('a failure that cannot have been billed costs nothing', async () => {
    expect((await costOfOnly(fails('failed'))).cost).toEqual(noCost)
  })

  test('a failure that may have been billed is unpriced', async () => {
    expect((await costOfOnly(fails('unreachable', { mayBeBilled: true }))).cost.unpricedCalls).toBe(1)
  })

  test('a garbled reply that told its usage is priced', async () => {
    const usage = { promptTokens: 10, cachedPromptTokens: 0, completionTokens: 1, reasoningTokens: 0 }
    const { cost } = await costOfOnly(fails('garbled', { usage, mayBeBilled: true }))
    expect(cost).toMatchObject({ promptTokens: 10, promptPicoUsd: 10_000_000, pricedCalls: 1, unpricedCalls: 0 })
  })

  test('a request that is given up while under way is unpriced', async () => {
    const controller = new AbortController()
    const { session } = house({ tactics: [Ask], model: hangs(() => controller.abort()) })
    const { session: recorded } = await session('hello', { signal: controller.signal })
    expect(recorded.cost.unpricedCalls).toBe(1)
    expect(recorded.agentCalls[0]?.llmCalls[0]?.error?.code).toBe('cancelled')
  })

  test('a price is looked for by the name that the provider answers with, then by the one that was asked for', async () => {
    expect((await costOfOnly(says('fine', { model: 'test-model-2026-01-01' }))).cost.pricedCalls).toBe(1)
  })

  test('a request that found no connection reached no provider', async () => {
    expect(countLlmCalls(await costOfOnly(fails('unreachable')))).toBe(0)
    expect(countLlmCalls(await costOfOnly(fails('unreachable', { mayBeBilled: true })))).toBe(1)
    expect(countLlmCalls(await costOfOnly(fails('unreachable', { mayBeBilled: true, usage: testUsage })))).toBe(1)
    expect(countLlmCalls(await costOfOnly(fails('failed')))).toBe(1)
  })

  test('it is recorded even when the reply is of no use', async () => {
    const { session } = house({ tactics: [Ask], model: says(''), global: { max_exception_retry: 1 } })
    const { session: recorded } = await session('hello')
    expect(recorded).toMatchObject({ state: 'failure', cost: { pricedCalls: 2, promptTokens: 200 } })
  })

  test('the reply of a respond() tells what all of its calls cost', async () => {
    const Costed = doing(async (writer) => (await writer.open('talk').receive('go').respond()).cost.pricedCalls)
    const { call } = house({ tactics: [Costed], model: [says(''), says('fine')] })
    expect(await call('go')).toBe('2')
  })
})
