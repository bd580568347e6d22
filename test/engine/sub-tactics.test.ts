import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { addCosts } from '../../src/domain/cost.ts'
import { type InputOf, Tactic } from '../../src/index.ts'
import { answersBy, fails, hangs } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

class Typed extends Tactic({
  name: 'typed',
  input: z.object({ topic: z.string(), count: z.number().default(1) }),
  output: z.object({ text: z.string() }),
}) {
  async call({ topic, count }: InputOf<typeof Typed>) {
    return { text: topic.repeat(count) }
  }
}

/** A tactic that does with a sub-tactic whatever a test wants. */
function using(work: (ask: Using['tactics']['ask']) => Promise<unknown>) {
  return class extends Tactic({ name: 'using', agents: ['chief'], tactics: { ask: Ask } }) {
    async call() {
      return JSON.stringify(await work(this.tactics.ask))
    }
  }
}
class Using extends Tactic({ name: 'using', agents: ['chief'], tactics: { ask: Ask } }) {
  call = async () => ''
}

const byTask = answersBy((text) => (text.startsWith('bad') ? fails('rejected') : says(`re: ${text}`)))

describe('a sub-tactic', () => {
  test('is called like a function; its session becomes a child and its cost a part of the whole', async () => {
    const { session } = house({ tactics: [using((ask) => ask('hello'))], model: byTask })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: '"re: hello"' })
    expect(report.session.subSessions).toMatchObject([
      { tactic: 'ask', tacticId: 'house::ask', task: 'hello', state: 'success' },
    ])
    expect(report.session.cost).toEqual(report.session.subSessions[0]?.cost)
  })

  test('has its input judged and its defaults filled in', async () => {
    class Parent extends Tactic({ name: 'parent', tactics: { typed: Typed } }) {
      call = async () => (await this.tactics.typed({ topic: 'bee' })).text
    }
    const { session } = house({ tactics: [Parent, Typed] })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: 'bee', session: { subSessions: [{ task: { topic: 'bee' } }] } })
  })

  test('that is given what does not fit is a mistake of the tactic, not of its caller', async () => {
    class Careless extends Tactic({ name: 'careless', tactics: { typed: Typed } }) {
      call = async () => (await this.tactics.typed({ topic: 3 } as never)).text
    }
    const { session } = house({ tactics: [Careless, Typed] })
    const report = await session('go')
    expect(report).toMatchObject({
      ok: false,
      error: { code: 'tactic-failed', message: expect.stringContaining('/topic') },
    })
    expect(report.session.subSessions).toEqual([])
  })

  test('that fails throws into its parent, which may catch it: the child and its cost stay recorded', async () => {
    const Catching = using((ask) => ask('bad').catch((error) => error.code))
    const { session } = house({ tactics: [Catching], model: fails('rejected', { mayBeBilled: true }) })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: '"provider-rejected"' })
    expect(report.session).toMatchObject({
      state: 'success',
      cost: { unpricedCalls: 1 },
      subSessions: [{ state: 'failure' }],
    })
  })

  test('that fails ends its parent with the same error when nobody catches it', async () => {
    const { session } = house({ tactics: [using((ask) => ask('bad'))], model: byTask })
    expect(await session('go')).toMatchObject({
      error: { code: 'provider-rejected' },
      session: { state: 'failure', subSessions: [{ state: 'failure' }] },
    })
  })

  test('is recorded in the order of the starts, whatever the order of the ends', async () => {
    let releaseFirst = () => {}
    const held = new Promise<void>((resolve) => (releaseFirst = resolve))
    const model = answersBy((text, request) => async () => {
      if (text === 'first') await held
      else releaseFirst()
      return says(text)(request, new AbortController().signal)
    })
    const Both = using((ask) => Promise.all([ask('first'), ask('second')]))
    const { session } = house({ tactics: [Both], model })
    expect((await session('go')).session.subSessions.map(({ task }) => task)).toEqual(['first', 'second'])
  })

  test('is as stored only once: within its root', async () => {
    const { session, stored } = house({ tactics: [using((ask) => ask('hello'))] })
    await session('go')
    expect(stored.map(({ tactic }) => tactic)).toEqual(['using'])
  })
})

describe('a batch of a sub-tactic', () => {
  test('gives results in the order of the tasks, failures as values', async () => {
    const { session } = house({ tactics: [using((ask) => ask.batch(['one', 'bad', 'three']))], model: byTask })
    const report = await session('go')
    expect(report.ok && JSON.parse(report.result)).toMatchObject([
      { index: 0, status: 'success', result: 're: one' },
      { index: 1, status: 'failure' },
      { index: 2, status: 'success', result: 're: three' },
    ])
    expect(report.session.subSessions).toHaveLength(3)
    expect(report.session.cost).toEqual(addCosts(report.session.subSessions.map(({ cost }) => cost)))
  })

  test('is bounded by its workers', async () => {
    const tasks = Array.from({ length: 20 }, (_, index) => `task ${index}`)
    const { call, model } = house({ tactics: [using((ask) => ask.batch(tasks, { maxWorkers: 3 }))] })
    await call('go')
    expect(model.requests).toHaveLength(20)
    expect(model.mostInFlight).toBe(3)
  })

  test('with failFast ends at the first failure: what is under way is cancelled, the rest is skipped', async () => {
    const model = answersBy((text) => (text === 'bad' ? fails('rejected') : hangs()))
    const Strict = using(async (ask) => {
      const settled = await ask.batch(['hangs', 'bad', 'never'], { maxWorkers: 2, failFast: true })
      return settled.map(({ status }) => status)
    })
    const { session } = house({ tactics: [Strict], model })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: '["cancelled","failure","skipped"]' })
    expect(report.session.subSessions.map(({ state }) => state)).toEqual(['cancelled', 'failure'])
  })

  test('takes a task that does not fit for a failure', async () => {
    const Careless = using((ask) => ask.batch(['one', 2 as never]))
    const { call } = house({ tactics: [Careless], model: byTask })
    expect(JSON.parse(await call('go'))).toMatchObject([{ status: 'success' }, { status: 'failure' }])
  })

  test('with an impossible number of workers is a mistake of the tactic', async () => {
    const { session } = house({ tactics: [using((ask) => ask.batch(['one'], { maxWorkers: 0 }))] })
    expect(await session('go')).toMatchObject({
      error: { code: 'tactic-failed', message: expect.stringContaining('maxWorkers') },
    })
  })
})

describe('a tactic that extends another', () => {
  class Pipeline extends Tactic({ name: 'pipeline', agents: ['writer'] }) {
    async call(task: string) {
      return (await this.agents.writer.open('draft').receive(task).respond()).content
    }
  }
  class Edited extends Pipeline.extend({ name: 'edited', agents: ['editor'] }) {
    override async call(task: string) {
      const draft = await super.call(task)
      return (await this.agents.editor.open('edit').receive(`Polish: ${draft}`).respond()).content
    }
  }

  test('has the agents and the steps of its parent, and its own', async () => {
    const { session } = house({ tactics: [Edited, Pipeline], model: byTask })
    const report = await session('bees')
    expect(report).toMatchObject({ ok: true, result: 're: Polish: re: bees' })
    expect(report.session.agentCalls.map(({ agent }) => agent)).toEqual(['writer', 'editor'])
  })
})
