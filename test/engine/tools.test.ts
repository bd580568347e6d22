import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import type { Message } from '../../src/domain/message.ts'
import { definePrompt } from '../../src/domain/prompt.ts'
import { defineTool, type Tool } from '../../src/domain/tool.ts'
import { callsTool, callsTools } from '../../src/testing/answers.ts'
import { type Script, says, testUsage } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

const weather = (run: (city: string) => unknown) =>
  defineTool({
    name: 'weather',
    description: 'Tells the weather.',
    args: z.object({ city: z.string() }),
    run: ({ city }) => run(city),
  })

function houseWith(tools: readonly Tool[], model: Script, global = {}) {
  const systemPrompts = { writer: definePrompt({ template: 'You have tools.', tools }) }
  return house({ tactics: [Ask], systemPrompts, model, global })
}

/** What the model was told in the end: the last messages of the last request. */
function toldInTheEnd({ requests }: { readonly requests: readonly { readonly messages: readonly Message[] }[] }) {
  return requests
    .at(-1)
    ?.messages.filter(({ role }) => role === 'tool')
    .map(({ content }) => content)
}

describe('a reply that calls tools', () => {
  test('has them run, and the model is asked again with the results', async () => {
    const { call, model } = houseWith(
      [weather((city) => `rain in ${city}`)],
      [callsTool('weather', { city: 'Oslo' }), says('Take an umbrella.')],
    )
    expect(await call('Oslo?')).toBe('Take an umbrella.')
    expect(model.requests[1]?.messages.slice(2)).toEqual([
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'call-weather', name: 'weather', arguments: '{"city":"Oslo"}' }],
      },
      { role: 'tool', toolCallId: 'call-weather', content: 'rain in Oslo' },
    ])
  })

  test('counts whatever its finish_reason says', async () => {
    const { call } = houseWith(
      [weather(() => 'rain')],
      [callsTool('weather', { city: 'Oslo' }, { finishReason: 'stop' }), says('done')],
    )
    expect(await call('Oslo?')).toBe('done')
  })

  test('runs several in parallel and answers them in the order of the calls', async () => {
    const started: string[] = []
    let release = () => {}
    const both = new Promise<void>((resolve) => (release = resolve))
    const tool = weather(async (city) => {
      started.push(city)
      if (started.length === 2) release()
      await both
      return city
    })
    const calls = ['Oslo', 'Rome'].map((city) => ({ id: city, name: 'weather', args: { city } }))
    const { call, model } = houseWith([tool], [callsTools(calls), says('done')])
    await call('go')
    expect(started).toEqual(['Oslo', 'Rome'])
    expect(toldInTheEnd(model)).toEqual(['Oslo', 'Rome'])
  })

  test('gets a result that is no text as JSON, and "done" where there is none', async () => {
    const calls = ['object', 'nothing'].map((city) => ({ id: city, name: 'weather', args: { city } }))
    const tool = weather((city) => (city === 'object' ? { rain: true } : undefined))
    const { call, model } = houseWith([tool], [callsTools(calls), says('done')])
    await call('go')
    expect(toldInTheEnd(model)).toEqual(['{"rain":true}', 'done'])
  })

  test('is recorded with arguments, results and errors', async () => {
    const { session } = houseWith([weather(() => 'rain')], [callsTool('weather', { city: 'Oslo' }), says('done')])
    const [agentCall] = (await session('go')).session.agentCalls
    expect(agentCall?.toolCalls).toMatchObject([
      { id: 'call-weather', step: 0, name: 'weather', arguments: '{"city":"Oslo"}', result: 'rain', error: null },
    ])
  })
})

describe('an identical call in the same respond()', () => {
  const counting = (run: (count: number) => unknown) => {
    let count = 0
    return weather(() => run(++count))
  }

  test('is answered with a note when it succeeded before', async () => {
    const again = callsTool('weather', { city: 'Oslo' })
    const { call, model } = houseWith([counting((count) => `run ${count}`)], [again, again, says('done')])
    await call('go')
    expect(toldInTheEnd(model)).toEqual(['run 1', expect.stringContaining('identical arguments')])
  })

  test('is identical whatever the order and spacing of its arguments', async () => {
    const tool = defineTool({
      name: 'pair',
      description: 'x',
      args: z.object({ left: z.number(), right: z.number() }),
      run: () => 'ran',
    })
    const { call, model } = houseWith(
      [tool],
      [callsTool('pair', '{"left":1,"right":2}'), callsTool('pair', '{ "right": 2, "left": 1 }'), says('done')],
    )
    await call('go')
    expect(toldInTheEnd(model)?.[1]).toContain('identical arguments')
  })

  test('is not run twice within one reply', async () => {
    let runs = 0
    const calls = ['a', 'b'].map((id) => ({ id, name: 'weather', args: { city: 'Oslo' } }))
    const { call, model } = houseWith([weather(() => ++runs)], [callsTools(calls), says('done')])
    await call('go')
    expect(runs).toBe(1)
    expect(toldInTheEnd(model)).toHaveLength(2)
  })

  test('in the same reply is run after all when the one before it failed', async () => {
    const tool = counting((count) => {
      if (count === 1) throw new Error('no network')
      return 'sun'
    })
    const calls = ['a', 'b', 'c'].map((id) => ({ id, name: 'weather', args: { city: 'Oslo' } }))
    const { call, model } = houseWith([tool], [callsTools(calls), says('done')])
    await call('go')
    expect(toldInTheEnd(model)).toEqual(['Error: no network', 'sun', expect.stringContaining('identical arguments')])
  })

  test('may be tried again when it failed', async () => {
    const tool = counting((count) => {
      if (count === 1) throw new Error('no network')
      return 'sun'
    })
    const again = callsTool('weather', { city: 'Oslo' })
    const { call, model } = houseWith([tool], [again, again, says('done')])
    await call('go')
    expect(toldInTheEnd(model)).toEqual(['Error: no network', 'sun'])
  })
})

describe('what the model does wrong is told to it as text, and every call gets an answer', () => {
  test.each([
    ['an unknown tool', callsTool('wether'), 'There is no tool "wether". Did you mean "weather"?'],
    ['arguments that are no JSON', callsTool('weather', '{"city": '), 'The arguments are not a JSON object.'],
    ['arguments that are no object', callsTool('weather', '["Oslo"]'), 'The arguments are not a JSON object.'],
    ['arguments that do not fit', callsTool('weather', { town: 'Oslo' }), 'The arguments do not fit. /city: '],
    ['no arguments at all', callsTool('weather', ''), 'The arguments do not fit. /city: '],
    [
      'arguments that nest without end',
      callsTool('weather', `{"city":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
      'The arguments are not a JSON object.',
    ],
  ])('%s', async (_case, reply, told) => {
    const { session, model } = houseWith([weather(() => 'rain')], [reply, says('done')])
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: 'done' })
    expect(toldInTheEnd(model)).toEqual([expect.stringContaining(told)])
    expect(report.session.agentCalls[0]?.toolCalls[0]?.error).toContain(told)
  })

  test.each([
    ['an exception', () => Promise.reject(new Error('no network')), 'Error: no network'],
    ['a thrown text', () => Promise.reject('no network'), 'Error: no network'],
    [
      'a result that refers to itself',
      () => {
        const loop: unknown[] = []
        loop.push(loop)
        return loop
      },
      'circular',
    ],
    ['a BigInt', () => 1n, 'BigInt'],
  ])('%s of the tool', async (_case, run, told) => {
    const { call, model } = houseWith([weather(run)], [callsTool('weather', { city: 'Oslo' }), says('done')])
    expect(await call('go')).toBe('done')
    expect(toldInTheEnd(model)).toEqual([expect.stringContaining(told)])
  })

  test('a transform of the arguments that throws', async () => {
    const args = z.object({ link: z.string().transform((text) => new URL(text)) })
    const tool = defineTool({ name: 'fetch', description: 'x', args, run: () => 'ran' })
    const { call, model } = houseWith([tool], [callsTool('fetch', { link: 'no link' }), says('done')])
    expect(await call('go')).toBe('done')
    expect(toldInTheEnd(model)).toEqual([expect.stringContaining('do not fit')])
  })

  test('hundreds of calls in one reply: those beyond a bound are not executed', async () => {
    let runs = 0
    const calls = Array.from({ length: 300 }, (_, index) => ({
      id: `${index}`,
      name: 'weather',
      args: { city: `${index}` },
    }))
    const { call, model } = houseWith([weather(() => ++runs)], [callsTools(calls), says('done')])
    await call('go')
    expect(runs).toBe(64)
    expect(toldInTheEnd(model)).toHaveLength(300)
  })

  test('a result without end is cut, and says so', async () => {
    const { call, model } = houseWith(
      [weather(() => 'x'.repeat(1_000_000))],
      [callsTool('weather', { city: 'Oslo' }), says('done')],
    )
    await call('go')
    expect(toldInTheEnd(model)?.[0]?.length).toBeLessThan(201_000)
    expect(toldInTheEnd(model)?.[0]).toContain('the result has 1000000 characters')
  })
})

describe('the rounds of tool calls', () => {
  const endless: Script = (request, signal) =>
    callsTool('weather', { city: `${request.messages.length}` })(request, signal)
  const talkative: Script = (request, signal) =>
    (request.tools.length === 0 ? says('all right then') : endless)(request, signal)

  test('end after max_interrupt_steps: no tools are offered, and the model is told to answer', async () => {
    const { call, model } = houseWith([weather(() => 'rain')], talkative, { max_interrupt_steps: 2 })
    expect(await call('go')).toBe('all right then')
    expect(model.requests.map(({ tools }) => tools.length)).toEqual([1, 1, 0])
    expect(model.requests[2]?.messages.at(-1)).toMatchObject({
      role: 'user',
      content: expect.stringContaining('final answer'),
    })
  })

  test('0 means no limit of its own, but never more than 100', async () => {
    const { call, model } = houseWith([weather(() => 'rain')], talkative, { max_interrupt_steps: 0 })
    expect(await call('go')).toBe('all right then')
    expect(model.requests).toHaveLength(101)
  })

  test('a model that calls tools even then has wasted its reply, and is asked again', async () => {
    const { session, model } = houseWith([weather(() => 'rain')], endless, {
      max_interrupt_steps: 1,
      max_exception_retry: 2,
    })
    expect(await session('go')).toMatchObject({ ok: false, error: { code: 'reply-unusable' } })
    expect(model.requests).toHaveLength(1 + 3)
    expect(JSON.stringify(model.requests.at(-1)?.messages.slice(4))).not.toContain('toolCalls')
  })

  test('the text beside such calls is an answer', async () => {
    const message = {
      role: 'assistant',
      content: 'rain',
      toolCalls: [{ id: '1', name: 'weather', arguments: '{}' }],
    } as const
    const { session } = houseWith([weather(() => 'rain')], says('', { message }), { max_interrupt_steps: 1 })
    const report = await session('go')
    expect(report).toMatchObject({ ok: true, result: 'rain' })
    expect(report.session.agentCalls[0]?.delivery).toEqual({ role: 'assistant', content: 'rain' })
  })
})

describe('tools from elsewhere', () => {
  const served = (run: Tool['run']): Tool => ({ name: 'search', description: 'x', parameters: { type: 'object' }, run })
  const systemPrompts = { writer: definePrompt({ template: 'Search.', mcpServers: ['web'] }) }

  test('an MCP server named by the prompt offers its tools', async () => {
    const { call, model } = house({
      tactics: [Ask],
      systemPrompts,
      mcp: { web: [served((args) => args)] },
      model: [callsTool('search', { query: 'bees' }), says('done')],
    })
    expect(await call('go')).toBe('done')
    expect(model.requests[0]?.tools).toMatchObject([{ name: 'search', strict: false }])
    expect(toldInTheEnd(model)).toEqual(['{"query":"bees"}'])
  })

  test('they cannot take the place of a tool of the prompt', async () => {
    const own = defineTool({ name: 'search', description: 'own', args: z.object({}), run: () => 'own' })
    const { call, model } = house({
      tactics: [Ask],
      systemPrompts: { writer: definePrompt({ template: 'Search.', mcpServers: ['web'], tools: [own] }) },
      mcp: { web: [served(() => 'foreign')] },
      model: [callsTool('search'), says('done')],
    })
    await call('go')
    expect(toldInTheEnd(model)).toEqual(['own'])
  })

  test('a tool of zod 3 has its arguments judged and described', async () => {
    const tool = defineTool({
      name: 'add',
      description: 'x',
      args: z3.object({ left: z3.number(), right: z3.number().optional() }),
      run: ({ left, right = 1 }) => left + right,
    })
    const { call, model } = houseWith(
      [tool],
      [callsTool('add', { left: 'one' }), callsTool('add', { left: 2, right: null }), says('done')],
    )
    await call('go')
    expect(toldInTheEnd(model)).toEqual([expect.stringContaining('/left'), '3'])
    expect(model.requests[0]?.tools[0]).toMatchObject({ strict: true, parameters: { required: ['left', 'right'] } })
  })
})

test('usage of every round counts', async () => {
  const { session } = houseWith([weather(() => 'rain')], [callsTool('weather', { city: 'Oslo' }), says('done')])
  expect((await session('go')).session.cost.promptTokens).toBe(2 * testUsage.promptTokens)
})
