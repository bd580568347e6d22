import { afterEach, describe, expect, test } from 'vitest'
import {
  after,
  callsTool,
  createGate,
  type Script,
  type ScriptedProvider,
  says,
  startProvider,
  status,
} from './scripted-provider.ts'

let provider: ScriptedProvider
afterEach(() => provider.close().catch(() => {}))

async function post(path: string, content: string): Promise<Response> {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] })
  return fetch(provider.url + path, { method: 'POST', body })
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
