import { afterEach, describe, expect, test } from 'vitest'
import {
  after,
  callsTool,
  createGate,
  cutAfter,
  endless,
  type Script,
  type ScriptedProvider,
  says,
  stallAfter,
  startProvider,
  status,
  streams,
} from './scripted-provider.ts'

let provider: ScriptedProvider
afterEach(() => provider.close().catch(() => {}))

async function post(path: string, content: string, more: object = {}, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })
  return fetch(provider.url + path, { method: 'POST', body, signal: signal ?? null })
}

async function start(script: Script) {
  const price = { promptPicoPerToken: 10, cachedPicoPerToken: 1, completionPicoPerToken: 100 }
  provider = await startProvider(script, { prices: { m: price } })
}

describe('the scripted provider', () => {
  test('says what the script says, in order, and writes down what it was asked', async () => {
    await start(['one', status(500)])
    expect(await (await post('/chat/completions', 'Hello')).json()).toMatchObject({
      choices: [{ message: { content: 'one' } }],
    })
    expect((await post('/responses', 'Again')).status).toBe(500)
    expect(provider.requests).toMatchObject([
      { index: 0, path: '/v1/chat/completions', model: 'm', lastText: 'Hello' },
      { index: 1, path: '/v1/responses', lastText: 'Again' },
    ])
  })

  test('adds up what it charged, to the pico-USD', async () => {
    await start([
      says('x', { usage: { promptTokens: 100, cachedPromptTokens: 40, completionTokens: 7 } }),
      callsTool('add', {}, { usage: { promptTokens: 1, completionTokens: 1 } }),
      says('not charged', { usage: null }),
      says('nor this', { rawUsage: { prompt_tokens: -1 } }),
      status(500),
    ])
    for (let call = 0; call < 5; call++) await post('/chat/completions', 'Hello')
    expect(provider.chargedPicoUsd).toBe(60 * 10 + 40 * 1 + 7 * 100 + 110)
  })

  test('counts what is in flight, and answers as soon as a gate opens', async () => {
    const gate = createGate()
    await start(() => after(gate, 'late'))
    const replies = [1, 2, 3].map(() => post('/chat/completions', 'Hello'))
    await provider.until(({ inFlight }) => inFlight === 3)
    gate.open()
    await Promise.all(replies)
    await provider.until(({ inFlight }) => inFlight === 0)
    expect(provider).toMatchObject({ inFlightMax: 3, aborted: 0 })
  })

  test('tells of a script that was too short, and of what a script threw', async () => {
    await start([])
    expect((await post('/chat/completions', 'Hello')).status).toBe(400)
    await expect(provider.close()).rejects.toThrow('no reply for request 0: Hello')
    await start(() => {
      throw new Error('the script is wrong')
    })
    await post('/chat/completions', 'Hello')
    await expect(provider.close()).rejects.toThrow('the script is wrong')
  })
})

describe('the scripted provider, asked for a stream', () => {
  const stream = { stream: true, stream_options: { include_usage: true } }
  const chunksOf = (text: string) =>
    text
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice('data: '.length)))

  test('streams any reply, word by word, with a usage where it is asked for', async () => {
    await start(['one two', 'one two'])
    const text = await (await post('/chat/completions', 'Hello', stream)).text()
    const chunks = chunksOf(text)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual(['', 'one ', 'two', undefined, undefined])
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 2 } })
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
    expect(await (await post('/chat/completions', 'Hello', { stream: true })).text()).not.toContain('usage')
  })

  test('streams the events of the responses API', async () => {
    await start([callsTool('add', { left: 1 })])
    const text = await (await post('/responses', 'Hello', { stream: true })).text()
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.output_item.done',
      'response.completed',
    ])
  })

  test('charges for a stream that breaks off what it has sent, also if its client goes away', async () => {
    const pieces = ['x'.repeat(40), 'x'.repeat(40)]
    await start([cutAfter(pieces), stallAfter(pieces)])
    await expect((await post('/chat/completions', 'Hello', stream)).text()).rejects.toThrow()
    expect(provider.chargedPicoUsd).toBe(2 * 10 + 20 * 100)
    const client = new AbortController()
    const response = await post('/chat/completions', 'Hello', stream, client.signal)
    await provider.until(({ chargedPicoUsd }) => chargedPicoUsd === 2 * (2 * 10 + 20 * 100))
    client.abort()
    await expect(response.text()).rejects.toThrow()
    await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
  })

  test('waits at gates', async () => {
    const gate = createGate()
    await start([streams(['one', gate, 'two'])])
    const reader = (await post('/chat/completions', 'Hello', stream)).body?.pipeThrough(new TextDecoderStream())
    let text = ''
    for await (const piece of reader ?? []) {
      text += piece
      expect(text.includes('two')).toBe(gate.isOpen)
      if (text.includes('one')) gate.open()
    }
    expect(text).toContain('two')
  })

  test('streams without end as long as it is read', async () => {
    await start([endless('x'.repeat(10_000))])
    const client = new AbortController()
    const response = await post('/chat/completions', 'Hello', stream, client.signal)
    await provider.untilStuck()
    client.abort()
    await expect(response.text()).rejects.toThrow()
    await provider.until(({ aborted }) => aborted === 1)
  })

  test('tells of a script that breaks a stream off where none was asked for', async () => {
    await start([stallAfter(['one'])])
    expect((await post('/chat/completions', 'Hello')).status).toBe(400)
    await expect(provider.close()).rejects.toThrow('request 0 asks for no stream')
  })
})
