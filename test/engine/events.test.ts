import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { EngineEvent } from '../../src/domain/event.ts'
import { definePrompt } from '../../src/domain/prompt.ts'
import { Stopped } from '../../src/domain/stop.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { callsTool, fails, hangs } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

/** Keeps events as they come. */
function listen() {
  const events: EngineEvent[] = []
  const emit = (event: EngineEvent) => void events.push(event)
  const types = () => events.map(({ type }) => type)
  const deltas = () => events.flatMap((event) => (event.type === 'agent.delta' ? [event.text] : []))
  return { events, emit, types, deltas }
}

class Inner extends Tactic({ name: 'inner', agents: ['writer'] }) {
  async call(task: string) {
    return (await this.agents.writer.open('talk').receive(task).respond()).content
  }
}
class Outer extends Tactic({ name: 'outer', agents: ['editor'], tactics: { inner: Inner } }) {
  async call(task: string) {
    const draft = await this.tactics.inner(task)
    return (await this.agents.editor.open('edit').receive(draft).respond()).content
  }
}

describe('the events of a call', () => {
  test('tell each agent from its start over its pieces to its end', async () => {
    const { call } = house({ tactics: [Ask], model: says('one two three') })
    const { emit, events, types, deltas } = listen()
    await call('go', { emit })
    expect(types()).toEqual([
      'session.started',
      'agent.started',
      'agent.delta',
      'agent.delta',
      'agent.delta',
      'agent.completed',
    ])
    expect(deltas()).toEqual(['one ', 'two ', 'three'])
    expect(events.at(-1)).toMatchObject({ state: 'success', cost: { promptTokens: 100 } })
  })

  test('tell where in the tree they happen, also in a sub-tactic', async () => {
    const { session } = house({ tactics: [Outer, Inner], model: says('text') })
    const { emit, events, types } = listen()
    const { session: record } = await session('go', { emit })
    expect(types()).toEqual([
      'session.started',
      'tactic.started',
      ...['agent.started', 'agent.delta', 'agent.completed'],
      'tactic.completed',
      ...['agent.started', 'agent.delta', 'agent.completed'],
    ])
    const [child] = record.subSessions
    expect(events[2]).toMatchObject({ path: ['outer', 'inner'], sessionId: child?.id, agent: 'writer', dialog: 'talk' })
    expect(events[5]).toMatchObject({ parentId: record.id, sessionId: child?.id, state: 'success', cost: child?.cost })
    expect(events[6]).toMatchObject({ path: ['outer'], sessionId: record.id, agent: 'editor' })
  })

  test('carry the call id under which the session has the same call', async () => {
    const { session } = house({ tactics: [Ask] })
    const { emit, events } = listen()
    const { session: record } = await session('go', { emit })
    expect(events[1]).toMatchObject({ callId: record.agentCalls[0]?.id })
  })

  test('tell each tool call with its arguments and its result', async () => {
    const add = defineTool({
      name: 'add',
      description: 'Adds.',
      args: z.object({ a: z.number() }),
      run: ({ a }) => a + 1,
    })
    const writer = definePrompt({ template: 'Count.', tools: [add] })
    const { call } = house({
      tactics: [Inner],
      systemPrompts: { writer },
      model: [callsTool('add', { a: 1 }), says('2')],
    })
    const { emit, events, types } = listen()
    await call('go', { emit })
    expect(types().filter((type) => type.startsWith('tool'))).toEqual(['tool.started', 'tool.completed'])
    expect(events.find(({ type }) => type === 'tool.started')).toMatchObject({ tool: 'add', arguments: '{"a":1}' })
    expect(events.find(({ type }) => type === 'tool.completed')).toMatchObject({ result: '2', error: null })
  })

  test('number the attempts, so that pieces of a try that failed can be told from those that count', async () => {
    const { call } = house({ tactics: [Ask], model: [fails('failed'), says('good')] })
    const { emit, events } = listen()
    await call('go', { emit })
    expect(events.find(({ type }) => type === 'agent.delta')).toMatchObject({ step: 0, attempt: 1, text: 'good' })
  })

  test('make a producer wait until its reader has room', async () => {
    const { call } = house({ tactics: [Ask], model: says('one two') })
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>()
    const seen: string[] = []
    const emit = (event: EngineEvent) => {
      seen.push(event.type)
      return event.type === 'agent.delta' ? room : undefined
    }
    const calling = call('go', { emit })
    await expect.poll(() => seen.at(-1)).toBe('agent.delta')
    expect(seen.filter((type) => type === 'agent.delta')).toHaveLength(1)
    makeRoom()
    await calling
    expect(seen.filter((type) => type === 'agent.delta')).toHaveLength(2)
  })

  test('do not hold up the end of a call that is stopped while its reader does not read', async () => {
    const { session } = house({ tactics: [Ask], model: says('one two') })
    const stop = new AbortController()
    const emit = (event: EngineEvent) => {
      if (event.type !== 'agent.delta') return undefined
      stop.abort(new Stopped('client-closed'))
      return new Promise<void>(() => {})
    }
    const { session: record } = await session('go', { emit, signal: stop.signal })
    expect(record).toMatchObject({ state: 'cancelled', endReason: 'client-closed' })
  })
})

describe('a reply that is cut short', () => {
  test('is kept as far as it came, with tokens that were counted here and are marked so', async () => {
    const stop = new AbortController()
    const { session } = house({ tactics: [Ask], model: says('one two three') })
    const emit = (event: EngineEvent) => {
      if (event.type === 'agent.delta' && event.text === 'two ') stop.abort(new Stopped('client-closed'))
    }
    const { session: record } = await session('go', { emit, signal: stop.signal })
    const [llmCall] = record.agentCalls[0]?.llmCalls ?? []
    expect(llmCall?.response?.message.content).toBe('one two ')
    expect(llmCall?.usage).toMatchObject({ estimated: true, reasoningTokens: 0 })
    expect(llmCall?.usage?.completionTokens).toBeGreaterThan(0)
    expect(record.cost).toMatchObject({ unpricedCalls: 0, pricedCalls: 1 })
  })

  test('that the provider cut keeps the usage that the provider told', async () => {
    const partial = { role: 'assistant', content: 'half' } as const
    const usage = { promptTokens: 7, cachedPromptTokens: 0, completionTokens: 1, reasoningTokens: 0 }
    const model = [fails('garbled', { partial, usage, mayBeBilled: true }), says('whole')]
    const { session } = house({ tactics: [Ask], model })
    const { session: record } = await session('go', { emit: () => undefined })
    expect(record.agentCalls[0]?.llmCalls[0]).toMatchObject({ response: { message: partial }, usage })
  })

  test('or that the provider told no usage of, is counted here as well', async () => {
    const { session } = house({ tactics: [Ask], model: says('whole', { usage: null }) })
    const { session: record } = await session('go', { emit: () => undefined })
    expect(record.agentCalls[0]?.llmCalls[0]?.usage).toMatchObject({ estimated: true })
  })

  test('without a listener is not estimated: the call is unpriced', async () => {
    const stop = new AbortController()
    const { session } = house({ tactics: [Ask], model: hangs(() => stop.abort(new Stopped('cancelled'))) })
    const { session: record } = await session('go', { signal: stop.signal })
    expect(record.cost).toMatchObject({ unpricedCalls: 1, totalTokens: 0 })
  })
})

describe('what an author emits', () => {
  const emitting = (data: unknown) =>
    class extends Tactic({ name: 'emitting' }) {
      async call(task: string) {
        await this.emit(data as never)
        return task
      }
    }

  test('reaches the listener as progress', async () => {
    const { call } = house({ tactics: [emitting({ percent: 10 })] })
    const { emit, events } = listen()
    await call('go', { emit })
    expect(events[1]).toMatchObject({ type: 'progress', path: ['emitting'], data: { percent: 10 } })
  })

  test('is taken when nobody listens', async () => {
    const { call } = house({ tactics: [emitting('half done')] })
    expect(await call('go')).toBe('go')
  })

  test('is told nobody any more once the call has ended', async () => {
    let tellLate = async () => {}
    class Lingering extends Tactic({ name: 'lingering' }) {
      async call(task: string) {
        tellLate = () => this.emit('late')
        return task
      }
    }
    const { call } = house({ tactics: [Lingering] })
    const { emit, types } = listen()
    await call('go', { emit })
    await tellLate()
    expect(types()).toEqual(['session.started'])
  })

  test.each([
    ['too much', 'x'.repeat(17_000)],
    ['no JSON', undefined],
  ])('is refused when it is %s', async (_why, data) => {
    const { call } = house({ tactics: [emitting(data)] })
    await expect(call('go')).rejects.toMatchObject({ code: 'tactic-failed' })
  })
})
