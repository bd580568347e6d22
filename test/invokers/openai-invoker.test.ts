import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Invoker } from '../../src/domain/invoker.ts'
import { createOpenAiInvoker, type OpenAiInvokerOptions } from '../../src/invokers/openai-invoker.ts'
import { modelRequest, noAbort, rejection } from '../support/invoker-fixtures.ts'
import {
  cutSocket,
  emptyChoices,
  hang,
  html,
  type Script,
  type ScriptedProvider,
  says,
  startProvider,
  status,
} from '../support/scripted-provider.ts'

const key = 'sk-never-to-be-shown'
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close()
})

async function openInvoker(
  script: Script,
  options: Partial<OpenAiInvokerOptions> = { apiKey: key },
): Promise<{ provider: ScriptedProvider; invoker: Invoker }> {
  const provider = await startProvider(script)
  const invoker = createOpenAiInvoker({ name: 'openai', baseUrl: provider.url, ...options })
  opened.push({ close: () => provider.close() }, invoker)
  return { provider, invoker }
}

/** What the one request to a provider that answers so rejects with. */
async function failureOf(script: Script): Promise<unknown> {
  const { invoker } = await openInvoker(script)
  return rejection(invoker.invoke(modelRequest(), noAbort))
}

describe('what is sent', () => {
  test('goes to the path of the wire format, with the key', async () => {
    const { provider, invoker } = await openInvoker(['one', 'two'])
    await invoker.invoke(modelRequest({ apiType: 'completion' }), noAbort)
    await invoker.invoke(modelRequest({ apiType: 'response' }), noAbort)
    expect(provider.requests.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/responses'])
    expect(provider.requests[1]?.headers).toMatchObject({
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
    })
  })

  test('has no Authorization where there is no key', async () => {
    const { provider, invoker } = await openInvoker(['one'], {})
    await invoker.invoke(modelRequest(), noAbort)
    expect(provider.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('calls instructions `developer`, or `system` where config says so', async () => {
    const openAi = await openInvoker(['one'])
    await openAi.invoker.invoke(modelRequest(), noAbort)
    expect(openAi.provider.requests[0]?.messages[0]?.role).toBe('developer')
    const other = await openInvoker(['one'], { systemRole: 'system' })
    await other.invoker.invoke(modelRequest(), noAbort)
    expect(other.provider.requests[0]?.messages[0]?.role).toBe('system')
  })

  test('is exactly one request, also when that fails', async () => {
    const { provider, invoker } = await openInvoker([status(503)])
    await rejection(invoker.invoke(modelRequest(), noAbort))
    expect(provider.requests).toHaveLength(1)
  })

  test.each([
    ['emoji and other scripts', 'Grüße 🧑‍🚀 नमस्ते \u{1F1EA}\u{1F1FA}'],
    ['half of a surrogate pair', 'before \ud83d after \ude00'],
    ['control characters', '\u0000\u0001\u001b[31m\u007f\u2028\u2029\r\n\t'],
    ['quotes, braces and backslashes', '{"a": "\\"} {slot} \\u0041 </script>'],
    ['nothing', ''],
    ['a megabyte', 'ab€'.repeat(350_000)],
  ])('arrives as it was given: %s', async (_, text) => {
    const { provider, invoker } = await openInvoker((request) => says(request.lastText))
    const { message } = await invoker.invoke(modelRequest({ messages: [{ role: 'user', content: text }] }), noAbort)
    expect(provider.requests[0]?.lastText === text).toBe(true)
    expect(message.content === text).toBe(true)
  })
})

describe('a provider that fails', () => {
  test.each([
    [429, 'rate-limited'],
    [408, 'failed'],
    [409, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
    [529, 'failed'],
    [400, 'rejected'],
    [401, 'rejected'],
    [404, 'rejected'],
    [422, 'rejected'],
    [418, 'rejected'],
  ])('with status %i is `%s`', async (code, kind) => {
    expect(await failureOf([status(code)])).toMatchObject({
      name: 'ProviderError',
      kind,
      status: code,
      mayBeBilled: false,
    })
  })

  test.each([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['seconds, more than a minute', { 'retry-after': '90' }, 90_000],
    ['milliseconds, which are more exact', { 'retry-after': '7', 'retry-after-ms': '250' }, 250],
    [
      'a date by its own clock',
      { date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' },
      30_000,
    ],
    ['a date that is over', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
    ['nonsense', { 'retry-after': 'soon' }, null],
    ['a negative time', { 'retry-after': '-5' }, null],
    ['nothing', {}, null],
  ])('may say when to come back: in %s', async (_, headers, retryAfterMs) => {
    expect(await failureOf([status(429, { headers })])).toMatchObject({ retryAfterMs })
    expect(await failureOf([status(503, { headers })])).toMatchObject({ retryAfterMs })
  })

  test.each([301, 302, 307, 308])('redirects with %i is not followed', async (code) => {
    const { provider, invoker } = await openInvoker([status(code, { headers: { location: 'http://127.0.0.1:1/' } })])
    expect(await rejection(invoker.invoke(modelRequest(), noAbort))).toMatchObject({ kind: 'rejected', status: code })
    expect(provider.requests).toHaveLength(1)
  })

  test('is told in words of ours, without its own and without the key', async () => {
    const body = { error: { message: `SECRET: your key ${key} and prompt`, code: 'SECRET' } }
    for (const code of [302, 400, 401, 404, 429, 500]) {
      const error = await failureOf([status(code, { body })])
      expect(String(error)).not.toMatch(/SECRET|sk-never/)
      expect(JSON.stringify(error)).not.toMatch(/SECRET|sk-never/)
    }
  })

  test('for a reason that is well known is told with that reason', async () => {
    const body = { error: { message: 'SECRET', code: 'context_length_exceeded' } }
    expect(await failureOf([status(400, { body })])).toMatchObject({
      message: 'The messages are longer than the model can read. (HTTP 400)',
    })
  })

  test.each([
    ['a page of HTML', html()],
    ['JSON that is cut off', status(200, { body: '{"choices": [' })],
    ['nothing', status(200, { body: '' })],
    ['no content', status(204, { body: '' })],
    ['null', status(200, { body: 'null' })],
    ['nesting without end', status(200, { body: '['.repeat(500_000) })],
    ['more than 4 MB', says('x'.repeat(5_000_000))],
  ])('answers with %s: garbled, and perhaps billed', async (_, reply) => {
    expect(await failureOf([reply])).toMatchObject({
      name: 'ProviderError',
      kind: 'garbled',
      usage: null,
      mayBeBilled: true,
    })
  })

  test('gives no choices, but tells the usage, which is kept', async () => {
    expect(await failureOf([emptyChoices({ usage: { promptTokens: 11, completionTokens: 5 } })])).toMatchObject({
      kind: 'garbled',
      usage: { promptTokens: 11, completionTokens: 5 },
    })
  })

  test.each([
    ['before the answer', cutSocket()],
    ['in the middle of it', cutSocket({ inBody: true })],
  ])('cuts the connection %s: unreachable, and perhaps billed', async (_, reply) => {
    expect(await failureOf([reply])).toMatchObject({ kind: 'unreachable', status: null, mayBeBilled: true })
  })

  test('does not speak HTTP at all: unreachable, and perhaps billed', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const invoker = createOpenAiInvoker({ name: 'openai', baseUrl: `http://127.0.0.1:${port}/v1` })
    opened.push({ close: async () => void server.close() }, invoker)
    expect(await rejection(invoker.invoke(modelRequest(), noAbort))).toMatchObject({
      kind: 'unreachable',
      mayBeBilled: true,
    })
  })

  test('refuses the connection: unreachable, and surely not billed', async () => {
    const { provider, invoker } = await openInvoker([])
    await provider.close()
    opened.splice(0, 1)
    expect(await rejection(invoker.invoke(modelRequest(), noAbort))).toMatchObject({
      kind: 'unreachable',
      mayBeBilled: false,
      message: 'The provider refused the connection.',
    })
  })

  test('has a host that does not exist: unreachable, and surely not billed', async () => {
    const invoker = createOpenAiInvoker({ name: 'openai', baseUrl: 'http://no-such-host.invalid/v1' })
    opened.push(invoker)
    expect(await rejection(invoker.invoke(modelRequest(), noAbort))).toMatchObject({
      kind: 'unreachable',
      mayBeBilled: false,
    })
  })

  test('fails once, and the next request is answered', async () => {
    const { invoker } = await openInvoker([cutSocket(), 'well again'])
    await rejection(invoker.invoke(modelRequest(), noAbort))
    expect((await invoker.invoke(modelRequest(), noAbort)).message.content).toBe('well again')
  })
})

describe('a call that is aborted', () => {
  test.each([new Error('the deadline'), 'a text', undefined])(
    'rejects with its reason (%s) and closes the socket',
    async (reason) => {
      const { provider, invoker } = await openInvoker([hang()])
      const controller = new AbortController()
      const rejected = rejection(invoker.invoke(modelRequest(), controller.signal))
      await provider.until(({ inFlight }) => inFlight === 1)
      controller.abort(reason)
      expect(await rejected).toBe(controller.signal.reason)
      await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
    },
  )

  test('leaves the other calls alone', async () => {
    const { provider, invoker } = await openInvoker((request) => (request.lastText === 'stay' ? 'stayed' : hang()))
    const controller = new AbortController()
    const ask = (content: string, signal: AbortSignal) =>
      invoker.invoke(modelRequest({ messages: [{ role: 'user', content }] }), signal)
    const gone = Array.from({ length: 10 }, () => rejection(ask('go', controller.signal)))
    await provider.until(({ inFlight }) => inFlight === 10)
    const staying = ask('stay', noAbort)
    controller.abort()
    expect((await staying).message.content).toBe('stayed')
    await Promise.all(gone)
    await provider.until(({ aborted }) => aborted === 10)
  })

  test('sends nothing when it was aborted before', async () => {
    const { provider, invoker } = await openInvoker([])
    await rejection(invoker.invoke(modelRequest(), AbortSignal.abort()))
    expect(provider.requests).toHaveLength(0)
  })
})

describe('sockets', () => {
  test('are used again by later calls', async () => {
    const { provider, invoker } = await openInvoker(() => 'ok')
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let call = 0; call < 10; call++) await invoker.invoke(modelRequest(), noAbort)
      }),
    )
    expect(provider.requests).toHaveLength(200)
    // Each of the 20 lanes needs one; a second is opened when a reply is read before its socket counts as free.
    expect(new Set(provider.requests.map(({ clientPort }) => clientPort)).size).toBeLessThanOrEqual(40)
  })
})

test.each(['two words', 'line\nbreak', 'clé', ''])(
  'a key that no header can hold (%j) is refused, and not shown',
  (apiKey) => {
    expect(() => createOpenAiInvoker({ name: 'local', apiKey })).toThrow(
      expect.objectContaining({ code: 'invalid-settings', message: expect.stringMatching(/"local"/) }),
    )
  },
)
