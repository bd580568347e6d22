import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Agent } from '../../src/domain/agent.ts'
import { definePrompt } from '../../src/domain/prompt.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { callsTool, saysJson } from '../../src/testing/answers.ts'
import { type Answer, says } from '../../src/testing/scripted-model.ts'
import { doing } from '../support/ask.ts'
import { type HouseSpec, house } from '../support/house.ts'

/** Lets a test work with a live agent, and gives back what it was asked. */
async function withAgent<Value>(
  work: (agent: Agent) => Value | Promise<Value>,
  more: Omit<HouseSpec<never>, 'tactics'> = {},
) {
  const seen: { value?: Value; error?: unknown } = {}
  const Probe = doing(async (writer) => {
    try {
      seen.value = await work(writer)
    } catch (error) {
      seen.error = error
    }
  })
  const { session, model } = house({ ...more, tactics: [Probe] })
  await session('go')
  return { ...seen, model }
}

const textsOf = (agent: Agent) => agent.messages.map(({ content }) => content)

describe('a dialog', () => {
  test('begins with the rendered system prompt', async () => {
    const systemPrompts = { writer: definePrompt({ template: 'You write {style} prose. {{}}' }) }
    const { value } = await withAgent((agent) => textsOf(agent.open('talk', { style: 'dry' })), { systemPrompts })
    expect(value).toEqual(['You write dry prose. {}'])
  })

  test('cannot be opened while a variable of the system prompt is missing', async () => {
    const systemPrompts = { writer: definePrompt({ template: 'You write {style} prose.' }) }
    const { error } = await withAgent((agent) => agent.open('talk'), { systemPrompts })
    expect(error).toMatchObject({ code: 'missing-variables', message: expect.stringContaining('style') })
  })

  test('becomes the active one; others can be switched to and closed', async () => {
    const { value } = await withAgent((agent) => {
      agent.open('one').receive('to one').open('two').receive('to two')
      const active = agent.active
      agent.switch('one')
      const texts = textsOf(agent)
      agent.close()
      return { active, texts, afterwards: agent.active, aliases: agent.aliases }
    })
    expect(value).toEqual({
      active: 'two',
      texts: ['You are the writer.', 'to one'],
      afterwards: undefined,
      aliases: ['two'],
    })
  })

  test.each<[string, (agent: Agent) => unknown, string]>([
    ['opening a used alias', (agent) => agent.open('talk').open('talk'), 'already has a dialog "talk"'],
    [
      'forking into a used alias',
      (agent) => agent.open('talk').open('other').fork('talk', 'other'),
      'already has a dialog "other"',
    ],
    ['switching to an unknown alias', (agent) => agent.open('talk').switch('tlak'), 'Did you mean "talk"?'],
    ['closing an unknown alias', (agent) => agent.close('talk'), 'There are none.'],
    ['forking an unknown alias', (agent) => agent.fork('talk', 'child'), 'has no dialog "talk"'],
    [
      'forking with a negative count',
      (agent) => agent.open('talk').fork('talk', 'child', { lastN: -1 }),
      'whole numbers',
    ],
    ['receiving without a dialog', (agent) => agent.receive('hello'), 'no active dialog'],
    ['responding without a dialog', (agent) => agent.respond(), 'no active dialog'],
    [
      'an image that is a path',
      (agent) => agent.open('talk').receiveImage({ url: '/etc/passwd' }),
      'begins with https://',
    ],
    [
      'an image in base64 that is a path',
      (agent) => agent.open('talk').receiveImage({ base64: '../etc/passwd', mediaType: 'image/png' }),
      'other characters',
    ],
    [
      'an image in base64 without a media type',
      (agent) => agent.open('talk').receiveImage({ base64: 'AAAA' }),
      'mediaType',
    ],
    ['an image without anything', (agent) => agent.open('talk').receiveImage({}), 'either a url or base64'],
  ])('is not misused: %s', async (_case, misuse, told) => {
    const { error } = await withAgent(misuse)
    expect(error).toMatchObject({ code: 'dialog-misuse', message: expect.stringContaining(told) })
  })

  test('cannot be changed, copied or asked while it is responding', async () => {
    const { value } = await withAgent(
      async (agent) => {
        const underWay = agent.open('talk').receive('go').respond()
        const attempts = [() => agent.receive('more'), () => agent.fork('talk', 'child'), () => agent.respond()].map(
          async (attempt) => attempt(),
        )
        const settled = await Promise.allSettled(attempts)
        await underWay
        return settled.map((result) => result.status === 'rejected' && result.reason.message)
      },
      { model: says('fine') },
    )
    expect(value).toEqual(Array(3).fill(expect.stringContaining('still responding')))
  })

  test('keeps what was received when its reply failed, and goes on', async () => {
    const { value } = await withAgent(
      async (agent) => {
        agent.open('talk').receive('first')
        await agent.respond().catch(() => {})
        agent.receive('again')
        await agent.respond()
        return textsOf(agent)
      },
      { model: [says(''), says('fine')], global: { max_exception_retry: 0 } },
    )
    expect(value).toEqual(['You are the writer.', 'first', 'again', 'fine'])
  })

  test('carries the name of who speaks', async () => {
    const { model } = await withAgent((agent) => agent.open('talk').receive('hi', { name: 'editor' }).respond())
    expect(model.requests[0]?.messages[1]).toEqual({ role: 'user', content: 'hi', name: 'editor' })
  })

  test('shows images by URL or as base64 with their own media type', async () => {
    const { value } = await withAgent((agent) =>
      agent
        .open('talk')
        .receiveImage({ url: 'https://example.org/bee.png' }, 'A bee')
        .receiveImage({ base64: 'AAAA', mediaType: 'image/webp' })
        .messages.slice(1),
    )
    expect(value).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'A bee' },
          { type: 'image', url: 'https://example.org/bee.png' },
        ],
      },
      { role: 'user', content: [{ type: 'image', base64: 'AAAA', mediaType: 'image/webp' }] },
    ])
  })
})

describe('a fork', () => {
  test('goes on by itself and leaves the original as it is', async () => {
    const { value } = await withAgent(async (agent) => {
      await agent.open('base').receive('go').respond()
      agent.fork('base', 'child').receive('only the child')
      const child = textsOf(agent)
      return { child, base: textsOf(agent.switch('base')) }
    })
    expect(value).toEqual({
      base: ['You are the writer.', 'go', 'fine'],
      child: ['You are the writer.', 'go', 'fine', 'only the child'],
    })
  })

  test('allows the best of several tries at once', async () => {
    const { value, model } = await withAgent(async (agent) => {
      agent.open('base').receive('go')
      const tries = ['one', 'two', 'three'].map((alias) => agent.fork('base', alias).receive(alias).respond())
      return (await Promise.all(tries)).map(({ content }) => content)
    })
    expect(value).toEqual(['fine', 'fine', 'fine'])
    expect(model.mostInFlight).toBe(3)
  })
})

describe('a prompt that is received', () => {
  const count = defineTool({ name: 'count', description: 'x', args: z.object({}), run: () => 3 })
  const counted = definePrompt({
    template: 'Count the {things}.',
    output: z.object({ count: z.number() }),
    tools: [count],
  })

  test('governs its own turn: contract and tools', async () => {
    const { value, model } = await withAgent(
      async (agent) => (await agent.open('talk').receivePrompt(counted, { things: 'bees' }).respond()).parsed.count,
      { model: [callsTool('count'), saysJson({ count: 'three' }), saysJson({ count: 3 })] },
    )
    expect(value).toBe(3)
    expect(model.requests[0]).toMatchObject({ tools: [{ name: 'count' }], format: { kind: 'json' } })
    expect(model.requests[0]?.messages[1]?.content).toBe('Count the bees.')
  })

  test("is followed by the system prompt's rules again after a plain receive", async () => {
    const { model } = await withAgent(
      async (agent) => {
        await agent.open('talk').receivePrompt(counted, { things: 'bees' }).respond()
        await agent.receive('Thanks.').respond()
      },
      { model: [saysJson({ count: 3 }), says('You are welcome.')] },
    )
    expect(model.requests[1]?.tools).toEqual([])
    expect(model.requests[1]?.format).toBeUndefined()
  })

  test('still governs the turn when an image is shown beside it, but not a later turn', async () => {
    const { model } = await withAgent(
      async (agent) => {
        const image = { url: 'https://example.org/bees.png' }
        await agent.open('talk').receivePrompt(counted, { things: 'bees' }).receiveImage(image).respond()
        await agent.receiveImage(image).respond()
      },
      { model: [saysJson({ count: 3 }), says('Nice.')] },
    )
    expect(model.requests[0]?.format).toBeDefined()
    expect(model.requests[1]?.format).toBeUndefined()
  })

  test('can be named by its path, in full or bare', async () => {
    const prompts = { 'tasks/count': counted }
    const { model } = await withAgent(
      async (agent) => {
        await agent.open('one').receivePrompt('tasks/count', { things: 'bees' }).respond()
        await agent.open('two').receivePrompt('house:tasks/count', { things: 'ants' }).respond()
      },
      { prompts, model: saysJson({ count: 3 }) },
    )
    expect(model.requests.map(({ messages }) => messages[1]?.content)).toEqual(['Count the bees.', 'Count the ants.'])
  })

  test('has to exist', async () => {
    const { error } = await withAgent((agent) => agent.open('one').receivePrompt('tasks/cuont'), {
      prompts: { 'tasks/count': counted },
    })
    expect(error).toMatchObject({
      code: 'unknown-prompt',
      message: expect.stringContaining('Did you mean "tasks/count"?'),
    })
  })
})

describe('the context manager', () => {
  const rain = defineTool({ name: 'rain', description: 'x', args: z.object({}), run: () => 'r'.repeat(400) })
  const systemPrompts = { writer: definePrompt({ template: 'You know the weather.', tools: [rain] }) }

  test('shortens what is sent, not the dialog', async () => {
    const { value, model } = await withAgent(
      async (agent) => {
        agent.open('talk')
        for (let turn = 0; turn < 10; turn++) await agent.receive(`${turn}`.repeat(200)).respond()
        return agent.messages.length
      },
      { model: says('fine', { usage: null }), global: { context_manager: { type: 'drop', max_tokens: 200 } } },
    )
    expect(value).toBe(21)
    expect(model.requests.at(-1)?.messages.length).toBeLessThan(10)
    expect(model.requests.at(-1)?.messages[0]?.role).toBe('system')
  })

  test('keeps the question of the turn when the model is told to answer at last', async () => {
    const { model } = await withAgent((agent) => agent.open('talk').receive('Will it rain?').respond(), {
      systemPrompts,
      model: [callsTool('rain'), says('Yes.')],
      global: { max_interrupt_steps: 1, context_manager: { type: 'drop', max_tokens: 10 } },
    })
    expect(model.requests[1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user'])
  })
})

test('a dialog that was stopped in the middle of a tool holds no call without its result', async () => {
  const hanging = defineTool({ name: 'hang', description: 'x', args: z.object({}), run: () => new Promise(() => {}) })
  const controller = new AbortController()
  let roles: readonly string[] = []
  const Probe = doing(async (writer) => {
    const underWay = writer.open('talk').receive('go').respond()
    await underWay.catch(() => {})
    roles = writer.messages.map(({ role }) => role)
  })
  const stopping: Answer = (request, signal) => {
    setImmediate(() => controller.abort())
    return callsTool('hang')(request, signal)
  }
  const systemPrompts = { writer: definePrompt({ template: 'x', tools: [hanging] }) }
  const { session } = house({ tactics: [Probe], systemPrompts, model: stopping })
  const report = await session('go', { signal: controller.signal })
  await new Promise(setImmediate)
  expect(roles).toEqual(['system', 'user'])
  expect(report.session.agentCalls[0]?.toolCalls).toMatchObject([{ name: 'hang', error: expect.any(String) }])
})
