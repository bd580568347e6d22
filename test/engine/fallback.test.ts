import { describe, expect, test } from 'vitest'
import { countLlmCalls } from '../../src/domain/session.ts'
import { callsTool, fails } from '../../src/testing/answers.ts'
import { type Answer, says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

/** The agent's model is `test-model`, then come `second` at the same invoker and `third` at `other`. */
const fallback_models = ['second', { model_name: 'third', invoker: 'other' }]

/** A house whose models answer each in its own way, the n-th request of each being the n-th answer. */
function open(answers: Readonly<Record<string, readonly Answer[]>>, global = {}) {
  const asked = new Map<string, number>()
  const byModel: Answer = (request, signal) => {
    const count = asked.get(request.model) ?? 0
    asked.set(request.model, count + 1)
    const script = answers[request.model] ?? []
    const answer = script[count] ?? script.at(-1)
    if (answer === undefined) throw new Error(`Nobody expects ${request.model} to be asked.`)
    return answer(request, signal)
  }
  const other = scriptedModel(byModel, 'other')
  const spec = { fallback_models, max_llm_recall: 1, ...global }
  const opened = house({ tactics: [Ask], model: byModel, invokers: [other.invoker], global: spec })
  const ask = async () => {
    const report = await opened.session('hello')
    const [agentCall] = report.session.agentCalls
    return {
      ...opened,
      report,
      calls: agentCall?.llmCalls.map(({ invoker, model, attempt, error }) => ({
        from: `${invoker}/${model}`,
        attempt,
        error: error?.code ?? null,
      })),
      retries: agentCall?.retries,
    }
  }
  return { ...opened, ask }
}

describe('a model that fails', () => {
  test('is recalled, then the next one is asked, and the session shows all of it', async () => {
    const { ask } = open({ 'test-model': [fails('failed')], second: [fails('unreachable')], third: [says('Here.')] })
    const { report, calls, retries } = await ask()
    expect(report).toMatchObject({ ok: true, result: 'Here.' })
    expect(calls).toEqual([
      { from: 'test/test-model', attempt: 0, error: 'failed' },
      { from: 'test/test-model', attempt: 1, error: 'failed' },
      { from: 'test/second', attempt: 2, error: 'unreachable' },
      { from: 'test/second', attempt: 3, error: 'unreachable' },
      { from: 'other/third', attempt: 4, error: null },
    ])
    expect(retries).toMatchObject(
      ['recall', 'fallback', 'recall', 'fallback'].map((kind) => ({
        kind,
        step: 0,
        waitedMs: kind === 'recall' ? 250 : 0,
      })),
    )
  })

  test('is not recalled when it has refused the request', async () => {
    const { ask } = open({ 'test-model': [fails('rejected', { status: 400 })], second: [says('Here.')] })
    const { report, calls } = await ask()
    expect(report.ok).toBe(true)
    expect(calls?.map(({ from }) => from)).toEqual(['test/test-model', 'test/second'])
  })

  test('is left at once when it wants to be left alone for longer than the call may last', async () => {
    const { session, sleeps, model } = open({
      'test-model': [fails('rate-limited', { retryAfterMs: 60_000 })],
      second: [says('Here.')],
    })
    expect((await session('hello', { timeoutMs: 30_000 })).ok).toBe(true)
    expect(model.requests).toHaveLength(2)
    expect(sleeps).toEqual([])
  })

  test('is not given up for a reply that cannot be used, and the step stays with whoever answered', async () => {
    const { ask } = open({
      'test-model': [fails('failed')],
      second: [says(''), fails('failed'), says('Here.')],
    })
    const { report, calls } = await ask()
    expect(report).toMatchObject({ ok: true, result: 'Here.' })
    expect(calls?.map(({ from }) => from)).toEqual([
      ...Array(2).fill('test/test-model'),
      ...Array(3).fill('test/second'),
    ])
  })

  test('is asked again in the next step', async () => {
    const { ask } = open({
      'test-model': [fails('failed'), fails('failed'), says('I am back.')],
      second: [callsTool('none')],
    })
    const { report, calls } = await ask()
    expect(report).toMatchObject({ ok: true, result: 'I am back.' })
    expect(calls?.at(-1)).toMatchObject({ from: 'test/test-model' })
  })

  test('costs what the model that answered costs', async () => {
    const { ask } = open({ 'test-model': [fails('failed')], second: [says('Here.', { model: 'second' })] })
    const { report } = await ask()
    // Only `test-model` has a price.
    expect(report.session.cost).toMatchObject({ pricedCalls: 0, unpricedCalls: 1 })
  })

  test('ends the call with the error of the last one when all of them fail', async () => {
    const { ask } = open({
      'test-model': [fails('failed')],
      second: [fails('failed')],
      third: [fails('rate-limited')],
    })
    const { report } = await ask()
    expect(report).toMatchObject({ ok: false, error: { code: 'provider-rate-limited' } })
    expect(report.ok || report.error.message).toContain('asked the models "test-model", "second", "third" 6 times')
  })
})

describe('a request that is kept back', () => {
  /** An invoker that sends nothing. */
  const keepsBack = {
    name: 'closed',
    simulated: false,
    async invoke(...[request, signal, , onHold]: Parameters<ReturnType<typeof scriptedModel>['invoker']['invoke']>) {
      onHold?.(true)
      return fails('unreachable', { retryAfterMs: 1_000 })(request, signal)
    },
    async close() {},
  }
  const openClosed = (global: object) => {
    const { invoker } = scriptedModel(says('Here.'), 'other')
    return house({ tactics: [Ask], invokers: [keepsBack, invoker], global: { invoker: 'closed', ...global } })
  }

  test('goes to the next model at once', async () => {
    const { session, sleeps } = openClosed({ fallback_models: [{ model_name: 'third', invoker: 'other' }] })
    const report = await session('hello')
    expect(report).toMatchObject({ ok: true, result: 'Here.' })
    expect(report.session.agentCalls[0]?.retries).toMatchObject([{ kind: 'fallback', waitedMs: 0 }])
    expect(sleeps).toEqual([])
  })

  test('waits as long as it is told where there is no other, within its recalls', async () => {
    const { session, sleeps } = openClosed({ max_llm_recall: 2 })
    expect((await session('hello')).ok).toBe(false)
    expect(sleeps).toEqual([1_000, 1_000])
  })

  test('is recorded, is not counted and costs nothing', async () => {
    const { session } = openClosed({ max_llm_recall: 0 })
    const report = await session('hello')
    expect(report).toMatchObject({ ok: false, error: { code: 'provider-failed', data: { retryAfterMs: 1_000 } } })
    expect(report.session.agentCalls[0]?.llmCalls).toMatchObject([{ error: { code: 'not-sent' }, usage: null }])
    expect(report.session.cost.unpricedCalls).toBe(0)
    expect(countLlmCalls(report.session)).toBe(0)
  })

  test('is not charged when the call is stopped while it waits', async () => {
    const controller = new AbortController()
    const waits = {
      ...keepsBack,
      async invoke(...[, , , onHold]: Parameters<(typeof keepsBack)['invoke']>): Promise<never> {
        onHold?.(true)
        controller.abort()
        return new Promise(() => {})
      },
    }
    const { session } = house({ tactics: [Ask], invokers: [waits], global: { invoker: 'closed' } })
    const { session: recorded } = await session('hello', { signal: controller.signal })
    expect(recorded).toMatchObject({ state: 'cancelled', cost: { unpricedCalls: 0 } })
    expect(recorded.agentCalls[0]?.llmCalls[0]?.error?.code).toBe('not-sent')
    expect(countLlmCalls(recorded)).toBe(0)
  })
})

describe('a mistake in fallback_models stops the boot', () => {
  test('an invoker that is not known', () => {
    expect(() => open({}, { fallback_models: [{ model_name: 'x', invoker: 'othr' }] })).toThrow('Did you mean "other"?')
  })

  test('a simulated model, whose answers would pass for those of a real one', () => {
    const { invoker } = scriptedModel(says('made up'), 'simulated')
    const global = { fallback_models: [{ model_name: 'x', invoker: 'simulated' }] }
    expect(() => house({ tactics: [Ask], invokers: [{ ...invoker, simulated: true }], global })).toThrow(
      'has the fallback model "x", which is simulated',
    )
  })
})
