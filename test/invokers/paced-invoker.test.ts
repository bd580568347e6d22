import { describe, expect, test } from 'vitest'
import { type Invoker, type ModelRequest, ProviderError } from '../../src/domain/invoker.ts'
import { coolDown } from '../../src/invokers/circuit.ts'
import { gateWaitMaxMs, waitingMax } from '../../src/invokers/pace.ts'
import type { PaceLimits } from '../../src/invokers/pace-limits.ts'
import { paced } from '../../src/invokers/paced-invoker.ts'
import { createSimulatedInvoker } from '../../src/invokers/simulated-invoker.ts'
import { fails, hangs } from '../../src/testing/answers.ts'
import { type Answer, says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { invokerContract } from '../contracts/invoker.ts'
import { modelRequest, noAbort, rejection } from '../support/invoker-fixtures.ts'
import { settle, virtualClock } from '../support/virtual-clock.ts'

const unlimited: PaceLimits = { concurrency: 1_000 }

/** A paced invoker whose model answers as `answer.now` says. */
function open(limits: Partial<PaceLimits> = {}, random?: () => number) {
  const answer: { now: Answer } = { now: says('fine') }
  const model = scriptedModel((request, signal) => answer.now(request, signal))
  const time = virtualClock(random)
  const invoker = paced(model.invoker, { ...unlimited, ...limits }, time.clock)
  const invoke = (more: Partial<ModelRequest> = {}, signal = noAbort) => invoker.invoke(modelRequest(more), signal)
  return { answer, model, time, invoker, invoke, sent: () => model.requests.length }
}

/** Invokes so many times at once, and counts how they end. */
function crowd(invoke: () => ReturnType<Invoker['invoke']>, size: number) {
  const ended = { answered: 0, failed: 0 }
  for (let count = 0; count < size; count++) {
    invoke().then(
      () => ended.answered++,
      () => ended.failed++,
    )
  }
  return ended
}

/** Replies that are given one by one. */
function answersOnDemand() {
  const waiting: (() => void)[] = []
  const answer: Answer = async (request, signal) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return says('fine')(request, signal)
  }
  return { answer, answerNext: () => waiting.shift()?.() }
}

invokerContract('a paced invoker', 'completion', async () => ({
  invoker: paced(createSimulatedInvoker(), { concurrency: 10, requestsPerMinute: 1_000 }, virtualClock().clock),
  close: async () => {},
}))

const limited = (retryAfterMs?: number) => fails('rate-limited', { status: 429, ...(retryAfterMs && { retryAfterMs }) })
const dead = fails('unreachable')

describe('concurrency', () => {
  test('is never exceeded, and those who wait go in the order in which they came', async () => {
    const { answer, model, invoke, sent } = open({ concurrency: 2 })
    const { answer: onDemand, answerNext } = answersOnDemand()
    answer.now = onDemand
    const ended = ['a', 'b', 'c', 'd', 'e'].map((id) => invoke({ modelArgs: { id } }))
    for (let count = 2; count <= 5; count++) {
      await settle()
      expect(sent()).toBe(count)
      answerNext()
    }
    await settle()
    answerNext()
    await Promise.all(ended)
    expect(model.requests.map(({ modelArgs }) => modelArgs['id'])).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(model.mostInFlight).toBe(2)
  })

  test('is each model’s own', async () => {
    const { answer, invoke, sent } = open({ concurrency: 1 })
    answer.now = hangs()
    crowd(() => invoke({ model: 'one' }), 3)
    crowd(() => invoke({ model: 'two' }), 3)
    await settle()
    expect(sent()).toBe(2)
  })

  test('is given back by requests that fail, are given up or run into a bug', async () => {
    const { answer, invoke, sent } = open({ concurrency: 1 })
    answer.now = fails('garbled')
    await rejection(invoke())
    answer.now = () => Promise.reject(new TypeError('a bug'))
    expect(await rejection(invoke())).toBeInstanceOf(TypeError)
    answer.now = hangs()
    const controller = new AbortController()
    const given = invoke({}, controller.signal)
    controller.abort('enough')
    expect(await rejection(given)).toBe('enough')
    answer.now = says('fine')
    await invoke()
    expect(sent()).toBe(4)
  })
})

describe('whoever waits', () => {
  test('leaves at once with the reason of the signal, unsent, and without a timer', async () => {
    const { invoke, time, sent } = open({ requestsPerMinute: 1 })
    await invoke()
    const controller = new AbortController()
    const waiting = Array.from({ length: 100 }, () => invoke({}, controller.signal))
    await settle()
    expect(time.sleeperCount).toBe(1)
    controller.abort({ why: 'gone' })
    for (const each of waiting) expect(await rejection(each)).toEqual({ why: 'gone' })
    expect(time.sleeperCount).toBe(0)
    expect(sent()).toBe(1)
  })

  test('is told of as held, until the request is sent', async () => {
    const { invoker, time } = open({ requestsPerMinute: 1 })
    const told: boolean[] = []
    const invoke = () => invoker.invoke(modelRequest(), noAbort, undefined, (isHeld) => told.push(isHeld))
    await invoke()
    expect(told.at(-1)).toBe(false)
    const waiting = invoke()
    await settle()
    expect(told.at(-1)).toBe(true)
    await time.advance(61_000)
    await waiting
    expect(told.at(-1)).toBe(false)
  })

  test('is not one too many: those beyond a bound are refused', async () => {
    const { answer, invoke } = open({ concurrency: 1 })
    answer.now = hangs()
    crowd(invoke, 1 + waitingMax)
    expect(await rejection(invoke())).toMatchObject({ kind: 'rate-limited' })
  })

  test('is refused when the invoker is closed', async () => {
    const { answer, invoker, invoke } = open({ concurrency: 1 })
    answer.now = hangs()
    const ended = crowd(invoke, 3)
    await invoker.close()
    await settle()
    expect(ended).toEqual({ answered: 0, failed: 2 })
  })
})

describe('limits of a minute', () => {
  test('requests beyond them wait until a minute has passed', async () => {
    const { invoke, time, sent } = open({ requestsPerMinute: 3 })
    const ended = crowd(invoke, 7)
    await settle()
    expect(sent()).toBe(3)
    await time.advance(59_999)
    expect(sent()).toBe(3)
    await time.advance(1_001)
    expect(sent()).toBe(6)
    await time.advance(61_000)
    expect(ended.answered).toBe(7)
  })

  test('tokens are estimated with what the reply may have, and corrected by what it had', async () => {
    const { invoke, time, sent } = open({ tokensPerMinute: 1_000 })
    // The prompt and 900 may come; the scripted model counts 120 in all.
    const big = { modelArgs: { max_completion_tokens: 900 } }
    await invoke(big)
    crowd(() => invoke(big), 1)
    await settle()
    expect(sent()).toBe(1)
    const small = { modelArgs: { max_completion_tokens: 700 } }
    const second = open({ tokensPerMinute: 1_000 })
    await second.invoke(big)
    await second.invoke(small)
    expect(second.sent()).toBe(2)
    await time.advance(61_000)
    expect(sent()).toBe(2)
  })

  test('a request that is larger than the limit goes when nothing else does', async () => {
    const { invoke, time, sent } = open({ tokensPerMinute: 10 })
    await invoke()
    const next = invoke()
    await settle()
    expect(sent()).toBe(1)
    await time.advance(61_000)
    await next
  })
})

describe('a Retry-After', () => {
  test.each([
    ['a 429', limited(2_000)],
    ['a 503', fails('failed', { status: 503, retryAfterMs: 2_000 })],
  ])('of %s is honoured by requests that have not been sent', async (_case, answerWith) => {
    const { answer, invoke, time, sent } = open()
    answer.now = answerWith
    await rejection(invoke())
    answer.now = says('fine')
    const ended = crowd(invoke, 50)
    await time.advance(1_999)
    expect(sent()).toBe(1)
    await time.advance(1)
    expect(sent()).toBe(2)
    await time.advance(3_000)
    expect(ended.answered).toBe(50)
  })

  test('is followed by few requests at first, so that few are refused again', async () => {
    const { answer, invoke, time, sent } = open()
    answer.now = limited(1_000)
    const ended = crowd(invoke, 200)
    await settle()
    expect(ended.failed).toBe(200)
    crowd(invoke, 200)
    await time.advance(10_000)
    expect(sent() - 200).toBe(10)
  })

  test('does not hold other models back', async () => {
    const { answer, invoke } = open()
    answer.now = limited(5_000)
    await rejection(invoke({ model: 'one' }))
    answer.now = says('fine')
    await invoke({ model: 'two' })
  })

  test('of a long time is told at once, to those who wait already as well', async () => {
    const { answer, invoke, time, sent } = open()
    answer.now = limited(1_000)
    await rejection(invoke())
    answer.now = limited(gateWaitMaxMs + 50_000)
    const ended = crowd(invoke, 5)
    await time.advance(1_000)
    expect({ ...ended, sent: sent() }).toEqual({ answered: 0, failed: 5, sent: 2 })
    const refusal = await rejection(invoke())
    expect(refusal).toMatchObject({ kind: 'rate-limited', retryAfterMs: gateWaitMaxMs + 50_000, mayBeBilled: false })
    expect(sent()).toBe(2)
    expect(time.sleeperCount).toBe(0)
  })

  test('has up to a tenth more in each process, so that not all come back at once', async () => {
    const { answer, invoke, time, sent } = open({}, () => 0.5)
    answer.now = limited(2_000)
    await rejection(invoke())
    crowd(invoke, 1)
    await time.advance(2_099)
    expect(sent()).toBe(1)
    await time.advance(1)
    expect(sent()).toBe(2)
  })

  test('that is missing from a 429 is made up for by a wait that grows', async () => {
    const { answer, invoke, time, model } = open({}, () => 0.999)
    answer.now = limited()
    crowd(invoke, 100)
    await settle()
    crowd(invoke, 100)
    await time.advance(60_000)
    // The first hundred went before anything was known. Then come 1 after 0.5 s, 1 after 1 s, 2 s, 4 s …
    expect(model.requests.length - 100).toBeLessThanOrEqual(10)
  })
})

describe('the circuit of a model', () => {
  /** Ten failures in a row. */
  async function opened(random?: () => number) {
    const all = open({}, random)
    all.answer.now = dead
    for (let count = 0; count < 10; count++) await rejection(all.invoke())
    return all
  }

  test('opens after ten failures in a row, and rejects at once, unsent', async () => {
    const { invoke, invoker, sent } = await opened()
    const refusal = await rejection(invoke())
    expect(refusal).toBeInstanceOf(ProviderError)
    expect(refusal).toMatchObject({ kind: 'unreachable', retryAfterMs: coolDown.firstMs, mayBeBilled: false })
    expect(sent()).toBe(10)
    expect(invoker.loads?.()).toEqual([{ model: 'gpt-4o', underWay: 0, waiting: 0, isResting: true }])
  })

  test.each<[string, Answer]>([
    ['an answer', says('fine')],
    ['a refusal of the request', fails('rejected', { status: 400 })],
    ['a limit of the rate', limited(1)],
    ['something unreadable', fails('garbled')],
  ])('stays closed when there is %s in between', async (_case, between) => {
    const { answer, invoke, time, sent } = open()
    for (let count = 0; count < 30; count++) {
      answer.now = count % 10 === 9 ? between : dead
      const ended = invoke().catch(() => {})
      await time.advance(3_000)
      await ended
    }
    expect(sent()).toBe(30)
  })

  test('is opened by errors 5xx, not by 408 and 409', async () => {
    for (const [status, sentInAll] of [
      [500, 10],
      [502, 10],
      [408, 12],
      [409, 12],
    ] as const) {
      const { answer, invoke, sent } = open()
      answer.now = fails('failed', { status })
      for (let count = 0; count < 12; count++) await rejection(invoke())
      expect({ status, sent: sent() }).toEqual({ status, sent: sentInAll })
    }
  })

  test('opens for those who wait as well', async () => {
    const { answer, invoke, sent } = open({ concurrency: 1 })
    answer.now = dead
    const ended = crowd(invoke, 200)
    await settle()
    expect({ ...ended, sent: sent() }).toEqual({ answered: 0, failed: 200, sent: 10 })
  })

  test('lets one probe through in each cool-down, which grows up to a bound', async () => {
    const { invoke, time, sent } = await opened()
    const probedAtSeconds: number[] = []
    for (let second = 1; second <= 160; second++) {
      await time.advance(1_000)
      const before = sent()
      await Promise.all([rejection(invoke()), rejection(invoke()), rejection(invoke())])
      if (sent() > before) probedAtSeconds.push(second)
      expect(sent() - before).toBeLessThanOrEqual(1)
    }
    expect(probedAtSeconds).toEqual([1, 3, 7, 15, 31, 61, 91, 121, 151])
  })

  test('is not held open by a probe that never comes back', async () => {
    const { answer, invoke, time, sent } = await opened()
    answer.now = hangs()
    await time.advance(1_000)
    crowd(invoke, 2)
    await time.advance(1_000)
    answer.now = says('fine')
    await invoke()
    expect(sent()).toBe(12)
  })

  test('closes when a probe is answered, and lets the crowd in little by little', async () => {
    const { answer, invoke, time, sent } = await opened()
    answer.now = says('fine')
    await time.advance(1_000)
    await invoke()
    const ended = crowd(invoke, 100)
    await time.advance(500)
    expect(sent() - 11).toBeLessThanOrEqual(4)
    await time.advance(2_500)
    expect(ended).toEqual({ answered: 100, failed: 0 })
  })

  test('is not closed by a reply to what was sent before it opened', async () => {
    const { answer, invoke, sent } = open()
    const { answer: onDemand, answerNext } = answersOnDemand()
    answer.now = onDemand
    const late = invoke()
    await settle()
    answer.now = dead
    for (let count = 0; count < 10; count++) await rejection(invoke())
    answerNext()
    await late
    await rejection(invoke())
    expect(sent()).toBe(11)
  })

  test('tells different times to different callers, none before the next probe', async () => {
    let seed = 0
    const { invoke } = await opened(() => (seed = (seed + 0.37) % 1))
    const told = await Promise.all(Array.from({ length: 20 }, () => rejection(invoke())))
    const times = told.map((error) => (error as ProviderError).retryAfterMs ?? 0)
    expect(new Set(times).size).toBeGreaterThan(10)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(coolDown.firstMs)
    expect(Math.max(...times)).toBeLessThanOrEqual(coolDown.firstMs * 1.5)
  })
})

test('it is the invoker that it paces, by name, address and what it is asked', async () => {
  const { invoker: inner } = scriptedModel(says('fine'), 'inner')
  const pieces: string[] = []
  const streaming: Invoker = {
    ...inner,
    apiUrl: 'http://provider/v1',
    async invoke(request, signal, onDelta) {
      await onDelta?.('piece')
      return inner.invoke(request, signal)
    },
  }
  const invoker = paced(streaming, unlimited, virtualClock().clock)
  await invoker.invoke(modelRequest(), noAbort, (text) => void pieces.push(text))
  expect(invoker).toMatchObject({ name: 'inner', simulated: false, apiUrl: 'http://provider/v1' })
  expect(pieces).toEqual(['piece'])
})

test('it forgets models that nobody asks, not those that are under way', async () => {
  const { answer, invoke, sent } = open({ concurrency: 1 })
  answer.now = hangs()
  crowd(() => invoke({ model: 'busy' }), 2)
  answer.now = says('fine')
  for (let count = 0; count < 1_500; count++) await invoke({ model: `model-${count}` })
  crowd(() => invoke({ model: 'busy' }), 1)
  await settle()
  expect(sent()).toBe(1_501)
})
