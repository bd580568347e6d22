import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { LllmError } from '../../src/domain/errors.ts'
import type { Schema } from '../../src/domain/schema.ts'
import { type InputOf, Tactic } from '../../src/index.ts'
import { answersBy } from '../../src/testing/answers.ts'
import { says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { Ask, doing } from '../support/ask.ts'
import { house } from '../support/house.ts'

/** A tactic without agents that returns what a test wants, past the compiler. */
function returning(output: Schema, result: unknown) {
  return class extends Tactic({ name: 'returning', output }) {
    call = async () => result
  }
}

describe('the task', () => {
  class Typed extends Tactic({ name: 'typed', input: z.object({ topic: z.string(), count: z.number().default(2) }) }) {
    async call({ topic, count }: InputOf<typeof Typed>) {
      return topic.repeat(count)
    }
  }

  test('has its defaults filled in; the session keeps it as it was given', async () => {
    const { session } = house({ tactics: [Typed] })
    const report = await session({ topic: 'bee' })
    expect(report).toMatchObject({ ok: true, result: 'beebee', session: { task: { topic: 'bee' } } })
  })

  test('that does not fit is refused before anything runs, with pointers', async () => {
    const { call, stored } = house({ tactics: [Typed] })
    await expect(call({ topic: 3 } as never)).rejects.toMatchObject({
      code: 'invalid-task',
      data: { issues: [{ pointer: '/topic' }] },
    })
    expect(stored).toEqual([])
  })

  test('over which a transform throws does not fit', async () => {
    class Linked extends Tactic({ name: 'linked', input: z.string().transform((text) => new URL(text)) }) {
      call = async (link: URL) => link.host
    }
    const { call } = house({ tactics: [Linked] })
    expect(await call('https://bees.example/')).toBe('bees.example')
    await expect(call('no link')).rejects.toMatchObject({ code: 'invalid-task' })
  })

  test('may be described by zod 3', async () => {
    class Old extends Tactic({
      name: 'old',
      input: z3.object({ topic: z3.string().default('bees') }),
      output: z3.object({ text: z3.string() }),
    }) {
      call = async ({ topic }: InputOf<typeof Old>) => ({ text: topic })
    }
    const { call, engine } = house({ tactics: [Old] })
    expect(await call({})).toEqual({ text: 'bees' })
    await expect(call({ topic: 3 } as never)).rejects.toMatchObject({ data: { issues: [{ pointer: '/topic' }] } })
    expect(engine.find('old').inputSchema).toMatchObject({ type: 'object', properties: { topic: { type: 'string' } } })
  })

  test('cannot ask for a config that does not exist', async () => {
    const { call } = house({ tactics: [Ask] })
    await expect(call('go', { config: 'pro' })).rejects.toMatchObject({
      code: 'unknown-config',
      data: { known: ['default'] },
    })
  })
})

describe('the result', () => {
  test('is judged by the output schema: what does not fit is a failure whose cost is kept', async () => {
    class Wrong extends Tactic({ name: 'wrong', agents: ['writer'], output: z.object({ text: z.string() }) }) {
      async call(task: string) {
        return { text: (await this.agents.writer.open('talk').receive(task).respond()).content.length as never }
      }
    }
    const { session } = house({ tactics: [Wrong] })
    expect(await session('go')).toMatchObject({
      ok: false,
      error: { code: 'invalid-result', message: expect.stringContaining('/text') },
      session: { state: 'failure', result: null, cost: { pricedCalls: 1 } },
    })
  })

  const loop: unknown[] = []
  loop.push(loop)
  test.each([
    ['a BigInt', 1n],
    ['a function', () => 1],
    ['what refers to itself', loop],
  ])('that cannot be JSON is a failure: %s', async (_case, result) => {
    const { session } = house({ tactics: [returning(z.any(), result)] })
    expect(await session('go')).toMatchObject({ ok: false, error: { code: 'invalid-result' } })
  })

  test('may be null, where the schema says so', async () => {
    expect(await house({ tactics: [returning(z.null(), null)] }).call('go')).toBeNull()
  })
})

describe('an exception of the code of a tactic', () => {
  test.each([
    ['an Error', new Error('password is hunter2')],
    ['a text', 'password is hunter2'],
  ])('ends the call as a failure that does not quote it: %s', async (_case, thrown) => {
    const Throwing = doing(() => Promise.reject(thrown))
    const { session } = house({ tactics: [Throwing] })
    const report = await session('go')
    expect(report).toMatchObject({ ok: false, error: { code: 'tactic-failed', cause: thrown } })
    expect(JSON.stringify(report.session)).not.toContain('hunter2')
  })

  test('may be thrown in its constructor', async () => {
    class Unborn extends Tactic({ name: 'unborn' }) {
      readonly broken = JSON.parse('{')
      call = async () => ''
    }
    expect(await house({ tactics: [Unborn] }).session('go')).toMatchObject({ error: { code: 'tactic-failed' } })
  })

  test('that blames the caller of another call does not blame ours', async () => {
    const inner = house({ tactics: [Ask] })
    const Nesting = doing(() => inner.call(3 as never))
    expect(await house({ tactics: [Nesting] }).session('go')).toMatchObject({ error: { code: 'tactic-failed' } })
  })
})

describe('the session', () => {
  test('tells tactic, task, result, times, tags, metadata and config', async () => {
    const { session, stored } = house({ tactics: [Ask] })
    const report = await session('hello', { tags: { team: 'bees' }, metadata: { ticket: 7 } })
    expect(report.session).toMatchObject({
      id: '00000000-0000-7000-8000-000000000001',
      tactic: 'ask',
      tacticId: 'house::ask',
      state: 'success',
      endReason: null,
      task: 'hello',
      result: 'fine',
      error: null,
      tags: { team: 'bees' },
      metadata: { ticket: 7 },
      config: { name: 'ask', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      simulated: false,
    })
    expect(stored).toEqual([report.session])
  })

  test('has every agent call with dialog, messages sent and received, and delivery', async () => {
    const { session } = house({ tactics: [Ask], global: { temperature: 0.2, model_args: { seed: 7 } } })
    const { agentCalls } = (await session('hello')).session
    expect(agentCalls).toMatchObject([
      {
        agent: 'writer',
        dialog: 'talk',
        state: 'success',
        delivery: { role: 'assistant', content: 'fine' },
        llmCalls: [
          {
            invoker: 'test',
            model: 'test-model',
            request: {
              messages: [{ role: 'system' }, { role: 'user', content: 'hello' }],
              args: { temperature: 0.2, seed: 7 },
            },
            response: { id: 'reply', finishReason: 'stop' },
          },
        ],
      },
    ])
  })

  test('says when a model was simulated: it costs nothing and is named so', async () => {
    const { invoker } = scriptedModel(says('made up'), 'simulated')
    const configs = {
      ask: {
        global: { model_name: 'test-model', invoker: 'simulated' },
        agent_configs: [{ name: 'writer', system_prompt: 'x' }],
      },
    }
    const { session } = house({ tactics: [Ask], configs, invokers: [{ ...invoker, simulated: true }] })
    const { session: recorded } = await session('hello')
    expect(recorded).toMatchObject({ simulated: true, cost: { promptPicoUsd: 0, pricedCalls: 1, unpricedCalls: 0 } })
    expect(recorded.agentCalls[0]?.llmCalls[0]?.model).toBe('simulated/test-model')
  })

  test('can be turned into JSON and back: nothing in it is live', async () => {
    const { session } = house({ tactics: [Ask] })
    const recorded = (await session('hello')).session
    expect(JSON.parse(JSON.stringify(recorded))).toEqual(recorded)
  })
})

test('500 calls at once share nothing: neither fields nor dialogs nor sessions', async () => {
  class Counter extends Tactic({ name: 'counter', agents: ['left', 'right'] }) {
    seen: string[] = []
    async call(task: string) {
      const { left, right } = this.agents
      for (const alias of ['one', 'two']) {
        left.open(alias).receive(`${task} left ${alias}`)
        right.open(alias).receive(`${task} right ${alias}`)
        const replies = await Promise.all([left.respond(), right.respond()])
        this.seen.push(...replies.map(({ content }) => content))
      }
      return [...this.seen, left.aliases.join('+'), left.messages.length].join(', ')
    }
  }
  const echo = answersBy((text) => async (request, signal) => {
    await new Promise(setImmediate)
    return says(text)(request, signal)
  })
  const { session } = house({ tactics: [Counter], model: echo })
  const tasks = Array.from({ length: 500 }, (_, index) => `t${index}`)
  const reports = await Promise.all(tasks.map((task) => session(task)))
  for (const [index, report] of reports.entries()) {
    const task = `t${index}`
    const said = ['left one', 'right one', 'left two', 'right two'].map((what) => `${task} ${what}`)
    expect(report).toMatchObject({ ok: true, result: [...said, 'one+two', 3].join(', ') })
    expect(report.session.agentCalls).toHaveLength(4)
  }
})

test('the engine names what it knows', () => {
  const { engine } = house({ tactics: [Ask, doing(() => '')] })
  expect(engine.tactics.map(({ name }) => name)).toEqual(['ask', 'doing'])
  expect(() => engine.find('aks')).toThrow('There is no tactic "aks". Did you mean "ask"? Known: ask, doing.')
})

describe('what would spoil the record', () => {
  test('in the data of an error that an author throws is left out', async () => {
    class Spoiling extends Tactic({ name: 'spoiling' }) {
      async call(): Promise<string> {
        throw new LllmError('reply-unusable', 'no', { count: 1n })
      }
    }
    const { session } = house({ tactics: [Spoiling] })
    const { session: record } = await session('go')
    expect(record.error).toEqual({ code: 'reply-unusable', message: 'no', data: {} })
  })

  test('is not there in a result of nothing, which is null', async () => {
    class Nothing extends Tactic({ name: 'nothing', output: z.void() }) {
      async call() {}
    }
    const { session } = house({ tactics: [Nothing] })
    expect(await session('go')).toMatchObject({ ok: true, session: { state: 'success' } })
  })
})

test('a schema that never comes to an end is stopped with its call', async () => {
  class Endless extends Tactic({
    name: 'endless',
    output: z.string().refine(() => new Promise<boolean>(() => {})),
  }) {
    async call(task: string) {
      return task
    }
  }
  const { session } = house({ tactics: [Endless] })
  expect(await session('go', { timeoutMs: 1 })).toMatchObject({ session: { endReason: 'deadline' } })
})
