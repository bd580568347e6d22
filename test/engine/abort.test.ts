import { getEventListeners } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { definePrompt } from '../../src/domain/prompt.ts'
import { Stopped } from '../../src/domain/stop.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { type InputOf, Tactic } from '../../src/index.ts'
import { callsTool, fails, hangs } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask, doing } from '../support/ask.ts'
import { house } from '../support/house.ts'

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a call is stopped', () => {
  test('in a model request', async () => {
    const controller = new AbortController()
    const { session } = house({ tactics: [Ask], model: hangs(() => controller.abort(new Stopped('client-closed'))) })
    expect(await session('go', { signal: controller.signal })).toMatchObject({
      ok: false,
      error: { code: 'client-closed-request' },
      session: {
        state: 'cancelled',
        endReason: 'client-closed',
        agentCalls: [{ state: 'cancelled', delivery: null, llmCalls: [{ error: { code: 'cancelled' } }] }],
      },
    })
  })

  test('in a model request whose invoker does not heed the signal', async () => {
    const controller = new AbortController()
    const deaf = () => {
      setImmediate(() => controller.abort())
      return new Promise<never>(() => {})
    }
    const { session } = house({ tactics: [Ask], model: deaf })
    expect(await session('go', { signal: controller.signal })).toMatchObject({ session: { state: 'cancelled' } })
  })

  test('in the wait before a recall', async () => {
    const controller = new AbortController()
    const { session, parts, model } = house({ tactics: [Ask], model: fails('failed') })
    Object.assign(parts.world.clock, {
      sleep: (_durationMs: number, signal: AbortSignal) => {
        controller.abort(new Stopped('shutdown'))
        return Promise.reject(signal.reason)
      },
    })
    const report = await session('go', { signal: controller.signal })
    expect(report).toMatchObject({ error: { code: 'draining' }, session: { endReason: 'shutdown' } })
    expect(model.requests).toHaveLength(1)
    expect(report.session.agentCalls[0]?.retries).toEqual([])
  })

  test('in a tool that ignores its signal', async () => {
    const controller = new AbortController()
    const run = () => {
      setImmediate(() => controller.abort())
      return new Promise<never>(() => {})
    }
    const deaf = defineTool({ name: 'deaf', description: 'x', args: z.object({}), run })
    const systemPrompts = { writer: definePrompt({ template: 'x', tools: [deaf] }) }
    const { session, model } = house({ tactics: [Ask], systemPrompts, model: callsTool('deaf') })
    const report = await session('go', { signal: controller.signal })
    expect(report.session).toMatchObject({
      state: 'cancelled',
      agentCalls: [{ toolCalls: [{ name: 'deaf', error: expect.stringContaining('stopped') }] }],
    })
    expect(model.requests).toHaveLength(1)
  })

  test('in a sub-tactic three deep: every session above it is cancelled and keeps its cost', async () => {
    class Third extends Tactic({ name: 'third', tactics: { ask: Ask } }) {
      call = (task: string) => this.tactics.ask(task)
    }
    class Second extends Tactic({ name: 'second', tactics: { third: Third } }) {
      call = (task: string) => this.tactics.third(task)
    }
    class First extends Tactic({ name: 'first', agents: ['chief'], tactics: { second: Second } }) {
      async call(task: InputOf<typeof First>) {
        await this.agents.chief.open('plan').receive(task).respond()
        return await this.tactics.second(task)
      }
    }
    const controller = new AbortController()
    const { session } = house({ tactics: [First], model: [says('a plan'), hangs(() => controller.abort())] })
    const { session: recorded } = await session('go', { signal: controller.signal })
    const third = recorded.subSessions[0]?.subSessions[0]
    for (const level of [recorded, recorded.subSessions[0], third, third?.subSessions[0]]) {
      expect(level).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' }, cost: { unpricedCalls: 1 } })
    }
    expect(recorded.cost.pricedCalls).toBe(1)
  })

  test('before it began: the tactic is not even made', async () => {
    let calls = 0
    const Counting = doing(() => ++calls)
    const { session } = house({ tactics: [Counting] })
    expect(await session('go', { signal: AbortSignal.abort() })).toMatchObject({ session: { state: 'cancelled' } })
    expect(calls).toBe(0)
  })

  test('by its own timeoutMs', async () => {
    const { session } = house({ tactics: [Ask], model: hangs() })
    expect(await session('go', { timeoutMs: 1 })).toMatchObject({
      error: { code: 'deadline-exceeded' },
      session: { state: 'cancelled', endReason: 'deadline' },
    })
  })

  test('not at once by a timeoutMs that is longer than a timer can be', async () => {
    const { call } = house({ tactics: [Ask] })
    expect(await call('go', { timeoutMs: 2 ** 40 })).toBe('fine')
  })

  test('by an AbortSignal.timeout, which is a deadline too', async () => {
    const { session } = house({ tactics: [Ask], model: hangs() })
    expect(await session('go', { signal: AbortSignal.timeout(1) })).toMatchObject({
      session: { endReason: 'deadline' },
    })
  })
})

describe('a tactic that is stopped', () => {
  test('and swallows the error and goes on does not hold up the outcome, and cannot spend any more', async () => {
    const controller = new AbortController()
    const Stubborn = doing(async (writer) => {
      await writer
        .open('one')
        .receive('go')
        .respond()
        .catch(() => {})
      return await writer.open('two').receive('once more').respond()
    })
    const { session, model } = house({ tactics: [Stubborn], model: hangs(() => controller.abort()) })
    expect(await session('go', { signal: controller.signal })).toMatchObject({ session: { state: 'cancelled' } })
    await nextTurn()
    expect(model.requests).toHaveLength(1)
  })

  test('and tries again for ever does not stop the world', async () => {
    const controller = new AbortController()
    let rounds = 0
    const Zombie = doing(async (writer) => {
      writer.open('talk').receive('go')
      for (;;) {
        rounds++
        try {
          return await writer.respond()
        } catch {}
      }
    })
    const { session } = house({ tactics: [Zombie], model: hangs(() => controller.abort()) })
    await session('go', { signal: controller.signal })
    await nextTurn()
    const roundsThen = rounds
    await nextTurn()
    expect(rounds).toBe(roundsThen)
    expect(rounds).toBeLessThan(200)
  })

  test('sees this.signal abort, for its own I/O', async () => {
    const controller = new AbortController()
    let reason: unknown
    const Listening = doing((_writer, _task, signal) => {
      setImmediate(() => controller.abort(new Stopped('shutdown')))
      return new Promise((resolve) => signal.addEventListener('abort', resolve)).then(() => {
        reason = signal.reason
      })
    })
    const { session } = house({ tactics: [Listening] })
    await session('go', { signal: controller.signal })
    expect(reason).toMatchObject({ endReason: 'shutdown' })
  })
})

describe('what a tactic leaves running', () => {
  test('because an await was forgotten is stopped, waited for and paid by this session', async () => {
    const Forgetful = doing((writer) => {
      void writer
        .open('talk')
        .receive('go')
        .respond()
        .catch(() => {})
      return 'early'
    })
    const { session } = house({ tactics: [Forgetful], model: hangs() })
    expect(await session('go')).toMatchObject({
      ok: true,
      session: { state: 'success', cost: { unpricedCalls: 1 }, agentCalls: [{ state: 'cancelled' }] },
    })
  })

  test('because it lost a race is stopped as well', async () => {
    const Racing = doing(async (writer) => {
      const race = ['slow', 'quick'].map((alias) => writer.open(alias).receive(alias).respond())
      return (await Promise.race(race)).content
    })
    const { session } = house({ tactics: [Racing], model: [hangs(), says('I am quick')] })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: '"I am quick"' })
    expect(report.session.agentCalls.map(({ dialog, state }) => [dialog, state])).toEqual([
      ['slow', 'cancelled'],
      ['quick', 'success'],
    ])
    expect(report.session.cost).toMatchObject({ pricedCalls: 1, unpricedCalls: 1 })
  })

  test('can be a sub-tactic: its session is a cancelled child', async () => {
    class Launching extends Tactic({ name: 'launching', tactics: { ask: Ask } }) {
      async call(task: string) {
        void this.tactics.ask(task).catch(() => {})
        await nextTurn()
        return 'early'
      }
    }
    const { session } = house({ tactics: [Launching], model: hangs() })
    const { session: recorded } = await session('go')
    expect(recorded).toMatchObject({ state: 'success', subSessions: [{ state: 'cancelled', endReason: 'cancelled' }] })
    expect(recorded.cost.unpricedCalls).toBe(1)
  })

  test('makes no unhandled rejection when nobody looks at it', async () => {
    const seen: unknown[] = []
    const onUnhandled = (reason: unknown) => seen.push(reason)
    process.on('unhandledRejection', onUnhandled)
    const Dropping = doing((writer) => {
      writer
        .open('talk')
        .receive('go')
        .respond()
        .catch(() => {})
      throw new Error('thrown meanwhile')
    })
    const { session } = house({ tactics: [Dropping], model: hangs() })
    expect(await session('go')).toMatchObject({ error: { code: 'tactic-failed' } })
    await nextTurn()
    process.off('unhandledRejection', onUnhandled)
    expect(seen).toEqual([])
  })
})

test('a tactic that has not come to wait for what failed ends no process', async () => {
  const seen: unknown[] = []
  const onUnhandled = (reason: unknown) => seen.push(reason)
  process.on('unhandledRejection', onUnhandled)
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
  class Failing extends Tactic({ name: 'failing' }) {
    async call(): Promise<string> {
      throw new Error('thrown at once')
    }
  }
  class Forgetful extends Tactic({ name: 'forgetful', agents: ['writer'], tactics: { fail: Failing } }) {
    async call(task: string) {
      const { writer } = this.agents
      const plain = writer.open('talk').receive(task).respond()
      await nextTurn()
      const typed = writer.receive(task).respondAs(z.object({ count: z.number() }))
      const below = this.tactics.fail(task)
      await nextTurn()
      // This one does not fit, which no session tells.
      const unfit = this.tactics.fail(7 as never)
      await nextTurn()
      await unfit.catch(() => {})
      return Promise.allSettled([plain, typed, below]).then((ended) => ended.map(({ status }) => status).join())
    }
  }
  const { session } = house({ tactics: [Forgetful, Failing], model: () => Promise.reject(new Error('no answer')) })
  expect((await session('go')).session).toMatchObject({ result: 'rejected,rejected,rejected' })
  await nextTurn()
  expect(seen).toEqual([expect.objectContaining({ code: 'invalid-task' })])
})

test('a signal that outlives its calls keeps no listener of them', async () => {
  const controller = new AbortController()
  const { call, session } = house({
    tactics: [Ask],
    model: [says('fine'), says('fine'), fails('rejected'), says('fine')],
  })
  await Promise.all([call('one', { signal: controller.signal }), call('two', { signal: controller.signal })])
  await session('three', { signal: controller.signal })
  await call.batch(['four', 'five'], { signal: controller.signal })
  for await (const _ of call.asCompleted(['six', 'seven'], { signal: controller.signal })) break
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
})
