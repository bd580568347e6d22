import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import type { Invoker, ModelRequest } from '../../src/domain/invoker.ts'
import type { SharedRates } from '../../src/domain/shared-rates.ts'
import type { PaceLimits } from '../../src/invokers/pace-limits.ts'
import { storeOutageMaxMs } from '../../src/invokers/pace-shares.ts'
import { paced } from '../../src/invokers/paced-invoker.ts'
import { fails, hangs } from '../../src/testing/answers.ts'
import { type Answer, says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { modelRequest, noAbort, rejection } from '../support/invoker-fixtures.ts'
import { memoryRates } from '../support/memory-rates.ts'
import { settle, virtualClock } from '../support/virtual-clock.ts'

type Take = SharedRates['take']

/** Several processes that ask one model, and share its rate in a storage that may be slow, or fail. */
function open(limits: Partial<PaceLimits> = {}, random?: () => number) {
  const time = virtualClock(random)
  const answer: { now: Answer } = { now: says('fine') }
  const model = scriptedModel((request, signal) => answer.now(request, signal))
  const shared = memoryRates(time.clock.now)
  const store: { take: Take } = { take: shared.rates.take }
  const rates: SharedRates = { take: (request) => store.take(request) }
  const openProcess = (inner: Invoker = model.invoker) => {
    const invoker = paced(inner, { concurrency: 1_000, ...limits }, time.clock, () => rates)
    const invoke = (more: Partial<ModelRequest> = {}, signal = noAbort) => invoker.invoke(modelRequest(more), signal)
    return { invoker, invoke }
  }
  return { time, answer, model, shared, store, openProcess, sent: () => model.requests.length }
}

const failing: Take = () => Promise.reject(new LllmError('store-unavailable', 'The database does not answer.'))

/** Invokes so many times at once, and counts how they end. */
function crowd(invoke: () => Promise<unknown>, size: number) {
  const ended = { answered: 0, failed: 0 }
  for (let count = 0; count < size; count++) {
    invoke().then(
      () => ended.answered++,
      () => ended.failed++,
    )
  }
  return ended
}

describe('processes that share a rate', () => {
  test('send together what one of them may send, and each has its part of it', async () => {
    const { time, openProcess, sent } = open({ requestsPerMinute: 12 })
    const ended = [openProcess(), openProcess(), openProcess()].map(({ invoke }) => crowd(invoke, 30))
    await time.advance(61_000)
    expect(sent()).toBe(12)
    await time.advance(62_000 * 3)
    expect(sent()).toBe(48)
    expect(Math.min(...ended.map(({ answered }) => answered))).toBeGreaterThanOrEqual(12)
    await time.advance(62_000 * 4)
    expect(ended).toEqual(Array.from({ length: 3 }, () => ({ answered: 30, failed: 0 })))
    expect(time.sleeperCount).toBe(0)
  })

  test('ask for all of their requests at once: a thousand are a few questions', async () => {
    const { time, openProcess, shared, sent } = open({ requestsPerMinute: 10_000, tokensPerMinute: 1_000_000 })
    for (const { invoke } of [openProcess(), openProcess()]) crowd(invoke, 1_000)
    await time.advance(1_000)
    expect(sent()).toBe(2_000)
    expect(shared.requests.length).toBeLessThanOrEqual(12)
  })

  test('send in the order in which they were asked', async () => {
    const { time, openProcess, model } = open({ requestsPerMinute: 2 })
    const { invoke } = openProcess()
    for (const id of ['a', 'b', 'c', 'd', 'e']) void invoke({ modelArgs: { id } })
    await time.advance(200_000)
    expect(model.requests.map(({ modelArgs }) => modelArgs['id'])).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('tell each other of tokens that were not used', async () => {
    const { time, openProcess, sent } = open({ tokensPerMinute: 1_000 })
    // The prompt and 900 may come; the scripted model counts 120 in all.
    const big = { modelArgs: { max_completion_tokens: 900 } }
    await openProcess().invoke(big)
    await settle()
    void openProcess().invoke({ modelArgs: { max_completion_tokens: 800 } })
    await time.advance(1_000)
    expect(sent()).toBe(2)
  })

  test('hear of tokens that were not used in a second, though they were told to wait', async () => {
    const { time, answer, openProcess, sent } = open({ tokensPerMinute: 1_000 })
    const big = { modelArgs: { max_completion_tokens: 900 } }
    answer.now = async (request, signal) => {
      await time.clock.sleep(20_000, signal)
      return says('fine')(request, signal)
    }
    void openProcess().invoke(big)
    await settle()
    void openProcess().invoke({ modelArgs: { max_completion_tokens: 800 } })
    await time.advance(19_999)
    expect(sent()).toBe(1)
    await time.advance(1_001)
    expect(sent()).toBe(2)
  })

  test('share by invoker, host and model: neither by path nor by key', async () => {
    const { openProcess, model, shared } = open({ requestsPerMinute: 2 })
    const at = (name: string, apiUrl: string) => openProcess({ ...model.invoker, name, apiUrl })
    await at('one', 'https://host/v1').invoke()
    await at('one', 'https://host/v2').invoke()
    await at('one', 'https://other/v1').invoke()
    await at('two', 'https://host/v1').invoke()
    await at('two', 'https://host/v1').invoke({ model: 'another '.repeat(1_000) })
    const rates = shared.requests.map(({ rate }) => rate)
    expect(new Set(rates).size).toBe(4)
    expect(rates[0]).toBe(rates[1])
    expect(Math.max(...rates.map(({ length }) => length))).toBeLessThanOrEqual(100)
  })

  test('ask nobody where there is no limit of a minute', async () => {
    const { openProcess, shared, sent } = open()
    await openProcess().invoke()
    expect([sent(), shared.requests.length]).toEqual([1, 0])
  })

  test('take no shares for requests that wait for others to end', async () => {
    const { answer, openProcess, shared, sent } = open({ concurrency: 3, requestsPerMinute: 100 })
    answer.now = hangs()
    crowd(openProcess().invoke, 10)
    await settle()
    expect([sent(), shared.used().requests]).toEqual([3, 3])
  })
})

describe('whoever waits for a share', () => {
  test('is told of as held, until the request is sent', async () => {
    const { time, openProcess } = open({ requestsPerMinute: 1 })
    const { invoker } = openProcess()
    const told: boolean[] = []
    const invoke = () => invoker.invoke(modelRequest(), noAbort, undefined, (isHeld) => told.push(isHeld))
    await invoke()
    expect(told).toEqual([true, false])
    const waiting = invoke()
    await time.advance(10_000)
    expect(told.at(-1)).toBe(true)
    await time.advance(52_000)
    await waiting
    expect(told.at(-1)).toBe(false)
  })

  test('leaves at once when given up, unsent, and the share that was on its way is given back', async () => {
    const { openProcess, shared, store, sent } = open({ requestsPerMinute: 5 })
    let answerStore = () => {}
    store.take = async (request) => {
      await new Promise<void>((resolve) => {
        answerStore = resolve
      })
      return shared.rates.take(request)
    }
    const controller = new AbortController()
    const waiting = openProcess().invoke({}, controller.signal)
    await settle()
    controller.abort('enough')
    expect(await rejection(waiting)).toBe('enough')
    store.take = shared.rates.take
    answerStore()
    await settle()
    expect([sent(), shared.used().requests]).toEqual([0, 0])
  })

  test('keeps no turn when given up, so that other processes go on', async () => {
    const { time, openProcess, sent } = open({ tokensPerMinute: 1_000 })
    await openProcess().invoke({ modelArgs: { max_completion_tokens: 50 } })
    const controller = new AbortController()
    const large = openProcess().invoke({ modelArgs: { max_completion_tokens: 950 } }, controller.signal)
    await settle()
    crowd(openProcess().invoke, 1)
    await time.advance(30_000)
    expect(sent()).toBe(1)
    controller.abort('enough')
    expect(await rejection(large)).toBe('enough')
    await time.advance(1_100)
    expect(sent()).toBe(2)
    expect(time.sleeperCount).toBe(0)
  })

  test('waits on when the provider asks to be left alone meanwhile, and the share is taken anew', async () => {
    const { time, answer, openProcess, shared, store, sent } = open({ requestsPerMinute: 10 })
    const { invoke } = openProcess()
    answer.now = async (_request, signal) => {
      await time.clock.sleep(100, signal)
      return fails('rate-limited', { status: 429, retryAfterMs: 5_000 })(_request, signal)
    }
    const first = rejection(invoke())
    await settle()
    store.take = async (request) => {
      await time.clock.sleep(200, noAbort)
      return shared.rates.take(request)
    }
    const second = invoke()
    await time.advance(300)
    await first
    answer.now = says('fine')
    await time.advance(4_700)
    expect(sent()).toBe(1)
    await time.advance(1_000)
    await second
    expect([sent(), shared.used().requests]).toEqual([2, 2])
  })

  test('is refused when the invoker is closed', async () => {
    const { time, openProcess, sent } = open({ requestsPerMinute: 1 })
    const { invoker, invoke } = openProcess()
    const ended = crowd(invoke, 3)
    await settle()
    await invoker.close()
    await settle()
    expect([ended, sent()]).toEqual([{ answered: 1, failed: 2 }, 1])
    expect(time.sleeperCount).toBe(0)
  })
})

describe('a storage of rates that fails', () => {
  test('is waited for: nothing is sent meanwhile, and everything afterwards', async () => {
    const { time, openProcess, shared, store, sent } = open({ requestsPerMinute: 100 })
    store.take = failing
    const ended = crowd(openProcess().invoke, 20)
    await time.advance(storeOutageMaxMs - 1_000)
    expect([ended, sent()]).toEqual([{ answered: 0, failed: 0 }, 0])
    store.take = shared.rates.take
    await time.advance(6_000)
    expect(ended).toEqual({ answered: 20, failed: 0 })
  })

  test('for long is a failure of the requests, unsent; later ones find it well again', async () => {
    const { time, openProcess, shared, store, sent } = open({ requestsPerMinute: 100 })
    const { invoke } = openProcess()
    store.take = failing
    const waiting = rejection(invoke())
    await time.advance(storeOutageMaxMs + 10_000)
    expect(await waiting).toMatchObject({ kind: 'unreachable', mayBeBilled: false })
    expect([sent(), time.sleeperCount]).toEqual([0, 0])
    const next = rejection(invoke())
    await time.advance(5_000)
    expect(await next).toMatchObject({ kind: 'unreachable' })
    store.take = shared.rates.take
    const last = invoke()
    await time.advance(5_000)
    await last
    expect(sent()).toBe(1)
  })

  test('is asked by one question at a time, ever more seldom', async () => {
    const { time, openProcess, store } = open({ requestsPerMinute: 100 })
    let count = 0
    store.take = (request) => {
      count++
      return failing(request)
    }
    crowd(openProcess().invoke, 1_000)
    await time.advance(storeOutageMaxMs)
    expect(count).toBeGreaterThan(5)
    expect(count).toBeLessThan(15)
  })

  test('may have corrected a share or not: what was used still counts', async () => {
    const { time, openProcess, shared, store } = open({ tokensPerMinute: 1_000 })
    const { invoke } = openProcess()
    // The scripted model counts 120 in all: some 800 are given back, and then some 80 are missing.
    for (const [maxTokens, isApplied] of [
      [900, true],
      [1, false],
    ] as const) {
      const invoked = invoke({ modelArgs: { max_tokens: maxTokens } })
      store.take = async (request) => {
        const isFailing = request.corrections.length > 0
        if (isFailing && !isApplied) return failing(request)
        const shares = await shared.rates.take(request)
        return isFailing ? failing(request) : shares
      }
      await invoked
      await settle()
      store.take = shared.rates.take
      await time.advance(200)
    }
    await invoke()
    expect(shared.used().tokens).toBeGreaterThanOrEqual(3 * 120)
  })

  test('sends nothing with an answer that comes too late to hold, and gives it back', async () => {
    const { time, openProcess, shared, store, sent } = open({ requestsPerMinute: 10 })
    store.take = async (request) => {
      const shares = await shared.rates.take(request)
      await time.clock.sleep(shares.validMs + 1, noAbort)
      return shares
    }
    const waiting = openProcess().invoke()
    await time.advance(1_050)
    expect(sent()).toBe(0)
    store.take = shared.rates.take
    await time.advance(2_000)
    await waiting
    expect([sent(), shared.used().requests]).toEqual([1, 1])
  })
})

/** Chance that is the same in every run of a case. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

test('whatever the storage, the provider and the callers do, in no 60 seconds is more sent than the limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(2 ** 30), fc.integer({ min: 1, max: 30 }), async (seed, requestsPerMinute) => {
      const chance = chanceOf(seed)
      const tokensPerMinute = 2_000
      const { time, openProcess, shared, store } = open({ requestsPerMinute, tokensPerMinute }, chance)
      const { clock } = time
      store.take = async (request) => {
        await clock.sleep(chance() < 0.1 ? 3_000 * chance() : 20 * chance(), noAbort)
        if (chance() < 0.1) return failing(request)
        const shares = await shared.rates.take(request)
        await clock.sleep(chance() < 0.1 ? 3_000 * chance() : 20 * chance(), noAbort)
        return chance() < 0.1 ? failing(request) : shares
      }
      const sent: { atMs: number; tokens: number }[] = []
      const inner: Invoker = {
        ...scriptedModel('').invoker,
        async invoke({ modelArgs }, signal) {
          const usage = { promptTokens: Math.round(Number(modelArgs['max_tokens']) * chance()), completionTokens: 0 }
          sent.push({ atMs: clock.now(), tokens: usage.promptTokens })
          await clock.sleep(30_000 * chance(), signal)
          if (chance() < 0.02)
            return fails('rate-limited', { status: 429, retryAfterMs: 2_000 })(modelRequest(), signal)
          const reply = await says('fine')(modelRequest(), signal)
          return { ...reply, usage: { ...usage, cachedPromptTokens: 0, reasoningTokens: 0 } }
        },
      }
      const processes = [openProcess(inner), openProcess(inner), openProcess(inner)]
      for (let count = 0; count < 60; count++) {
        const { invoke } = processes[count % 3] ?? processes[0] ?? openProcess(inner)
        const controller = new AbortController()
        invoke({ modelArgs: { max_tokens: Math.round(300 * chance()) } }, controller.signal).catch(() => {})
        await time.advance(6_000 * chance() ** 2)
        if (chance() < 0.1) controller.abort('given up')
      }
      await time.advance(130_000)
      expect(sent.length).toBeGreaterThan(0)
      for (const { atMs: fromMs } of sent) {
        const within = sent.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 60_000)
        expect(within.length).toBeLessThanOrEqual(requestsPerMinute)
        expect(within.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(tokensPerMinute)
      }
    }),
    { numRuns: 15 },
  )
}, 30_000)
