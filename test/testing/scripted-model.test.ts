import { type InputOf, Tactic } from 'lllm'
import {
  answersBy,
  callsTool,
  fails,
  hangs,
  type Script,
  says,
  saysJson,
  scriptedModel,
  testRuntime,
} from 'lllm/testing'
import { describe, expect, test } from 'vitest'

/** Asks the writer each question of its task, and then the editor once. */
class Paper extends Tactic({ name: 'paper', agents: ['writer', 'editor'] }) {
  async call(task: InputOf<typeof Paper>) {
    const { writer, editor } = this.agents
    writer.open('draft')
    for (const question of task.split('|')) await writer.receive(question).respond()
    return (await editor.open('review').receive('Well?').respond()).content
  }
}

async function open(model: Script) {
  const runtime = await testRuntime({ tactics: [Paper], model })
  return { model: runtime.model, runtime, call: runtime.build(Paper) }
}

describe('a script', () => {
  test('that is one line answers every request', async () => {
    const { call, model } = await open('fine')
    expect(await call('a|b|c')).toBe('fine')
    expect(model.requests).toHaveLength(4)
    model.expectDone()
  })

  test('that is a list answers one request with each line', async () => {
    const { call, model } = await open(['one', says('two'), saysJson({ three: 3 })])
    expect(await call('a|b')).toBe('{"three":3}')
    model.expectDone()
  })

  test('may have lines for each agent, however their requests come', async () => {
    const { call, model } = await open({ editor: ['Well.'], writer: answersBy((text) => text.toUpperCase()) })
    expect(await call('a|b')).toBe('Well.')
    expect(model.requests[1]?.messages.map(({ content }) => content)).toEqual(['You are the writer.', 'a', 'A', 'b'])
    model.expectDone()
  })

  test('may be a function of the request', async () => {
    const { call } = await open((request, signal) => says(`${request.agent} of ${request.model}`)(request, signal))
    expect(await call('a')).toBe('editor of test-model')
  })

  test('may be as bad as providers are', async () => {
    const { call, runtime } = await open([fails('rate-limited', { retryAfterMs: 7_000 }), fails('failed'), 'a', 'fine'])
    expect(await call('a')).toBe('fine')
    expect(runtime.sleeps).toEqual([7_000, 500])
    const patience = new AbortController()
    const hanging = await open(hangs(() => patience.abort()))
    await expect(hanging.call('a', { signal: patience.signal })).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('a script that runs out', () => {
  test('ends the call with a message that says what was asked', async () => {
    const { call, model } = await open(['one'])
    const asked = 'Request 2: The agent "editor" asked the model "test-model", user said last: "Well?"'
    await expect(call('a')).rejects.toMatchObject({
      code: 'provider-rejected',
      message: expect.stringContaining(`The script has run out, for it has 1 line. ${asked}`),
    })
    expect(() => model.expectDone()).toThrow('Beyond the end of the script: The agent "editor" asked')
  })

  test('for one agent says for which, and shortens what is long', async () => {
    const { call } = await open({ writer: [], editor: 'fine' })
    await expect(call('x'.repeat(400))).rejects.toThrow(
      `it has 0 lines for the agent "writer". Request 1: The agent "writer"`,
    )
    await expect(call('x'.repeat(400))).rejects.toThrow(`"${'x'.repeat(300)}…"`)
  })

  test('has no lines for an agent that it does not know', async () => {
    const { call } = await open({ editor: 'fine' })
    await expect(call('a')).rejects.toThrow('The script has no lines for this agent, but for: editor. Request 1')
  })

  test('and a runtime without a script, refuse the first request', async () => {
    const runtime = await testRuntime({ tactics: [Paper] })
    await expect(runtime.build(Paper)('a')).rejects.toThrow('it has 0 lines. Request 1')
  })
})

describe('a scripted model', () => {
  test('tells of each agent what it was sent', async () => {
    const { call, model } = await open('fine')
    await call('a|b')
    expect(model.textsOf('writer')).toEqual(['a', 'b'])
    expect(model.textsOf('editor')).toEqual(['Well?'])
    expect(model.requestsOf('writer').map(({ messages }) => messages.length)).toEqual([2, 4])
    expect(model.requestsOf('reader')).toEqual([])
  })

  test('says which lines were not used', async () => {
    const model = scriptedModel({ writer: ['one', 'two', 'three'], editor: ['fine'] })
    const runtime = await testRuntime({ tactics: [Paper], model })
    expect(await runtime.build(Paper)('a')).toBe('fine')
    const left = 'Not used: the last 2 of the script\'s 3 lines for the agent "writer".'
    expect(() => model.expectDone()).toThrow(new Error(left))
  })

  test('streams a reply word by word', async () => {
    const { call } = await open('one two')
    const pieces: string[] = []
    await call('a', { emit: (event) => void (event.type === 'agent.delta' && pieces.push(event.text)) })
    expect(pieces).toEqual(['one ', 'two', 'one ', 'two'])
  })

  test('calls tools with arguments that may be no JSON', () => {
    const request = { model: 'm', apiType: 'completion', messages: [], modelArgs: {}, tools: [] } as const
    const reply = callsTool('look', '{"broken')(request, new AbortController().signal)
    expect(reply).toMatchObject({ message: { toolCalls: [{ name: 'look', arguments: '{"broken' }] } })
  })
})
