import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createServer, lllmPlugin, loadRuntime } from '../../src/index.ts'
import { createGate, says } from '../support/scripted-provider.ts'
import { createClient } from './support/client.ts'
import { embed, openHost, openRuntime, openScripted } from './support/embedding.ts'
import { writePackage } from './support/package.ts'
import { scripted } from './support/service.ts'

const post = (url: string, payload: object) => ({ method: 'POST', url, payload }) as const

function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ port: 0, host: '127.0.0.1' })
}

describe('when the application closes', () => {
  test('calls under way are stopped, and their sessions are stored before the runtime is closed', async () => {
    const database = join(await writePackage({}), 'sessions.db')
    const gate = createGate()
    const provider = await scripted(() => gate.opened.then(() => says('late')))
    const runtime = await openRuntime('answer', { provider, database })
    const host = await embed(runtime)
    host.addHook('onClose', () => runtime.close())
    const answer = createClient(`${await listen(host)}/ai`).call('answer', 'a')
    await vi.waitFor(() => expect(provider.requests).toHaveLength(1))
    await host.close()
    gate.open()
    const { status, body } = await answer
    expect([status, body.code, body.type]).toEqual([503, 'draining', '/ai/docs/errors/draining'])
    const later = await loadRuntime({ env: { LLLM_DATABASE: database, LLLM_HOME: '/nonexistent' } })
    onTestFinished(() => later.close())
    expect(await later.store.get(body.session_id ?? '')).toMatchObject({ state: 'cancelled', end_reason: 'shutdown' })
  })

  test('calls under way are given the time that they were promised', async () => {
    const gate = createGate()
    const { runtime, provider } = await openScripted(() => gate.opened.then(() => says('late')))
    const host = await embed(runtime, { graceMs: 60_000 })
    const answer = createClient(`${await listen(host)}/ai`).call('answer', 'a')
    await vi.waitFor(() => expect(provider.requests).toHaveLength(1))
    const closed = host.close()
    gate.open()
    expect(await answer).toMatchObject({ status: 200, body: { result: 'late' } })
    await closed
  })

  test('a client that never sends the rest of its request does not hold it up', async () => {
    const host = await embed(await openRuntime('answer'))
    const { port } = new URL(await listen(host))
    const socket = connect(Number(port), '127.0.0.1')
    const head =
      'POST /ai/tactics/answer HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n'
    const begun = new Promise<void>((resolve) => host.server.once('request', () => resolve()))
    socket.on('error', () => {}).write(`${head}\r\n{"task"`)
    await begun
    const ended = once(socket, 'close')
    await host.close()
    await ended
  })
})

test('two runtimes live side by side in one application, each with its own folder, provider, store and settings', async () => {
  const folder = await writePackage({})
  const [north, south] = [await scripted(() => says('north')), await scripted(() => says('south'))]
  const database = join(folder, 'north.db')
  const env = { LLLM_BODY_LIMIT_BYTES: '1024', LLLM_TIMEOUT_MS: '5000' }
  const host = openHost()
  await host.register(lllmPlugin, {
    runtime: await openRuntime('ask', { provider: north, database, env }),
    prefix: '/north',
  })
  await host.register(lllmPlugin, { runtime: await openRuntime('tell', { provider: south }), prefix: '/south' })
  await host.register(lllmPlugin, { runtime: await openRuntime('tell'), prefix: '/made/up' })
  const url = await listen(host)
  const clients = {
    north: createClient(`${url}/north`),
    south: createClient(`${url}/south`),
    up: createClient(`${url}/made/up`),
  }

  const answers = await Promise.all([
    clients.north.call('ask', 'a'),
    clients.south.call('tell', 'a'),
    clients.up.call('tell', 'a'),
  ])
  expect(answers.map(({ body }) => body.result)).toEqual(['north', 'south', expect.stringContaining('[simulated]')])
  expect(answers.map(({ headers }) => headers.get('lllm-simulated'))).toEqual([null, null, 'true'])
  expect([north.requests.length, south.requests.length]).toEqual([1, 1])
  expect((await clients.north.call('tell', 'a')).body).toMatchObject({
    code: 'unknown-tactic',
    type: '/north/docs/errors/unknown-tactic',
    detail: expect.stringContaining('Known: ask.'),
  })

  for (const [index, client] of Object.values(clients).entries()) {
    const { body } = await client.get<{ data: { id: string }[] }>('/sessions')
    expect(body.data.map(({ id }) => id)).toEqual([answers[index]?.body.session_id])
  }
  const infos = await Promise.all(Object.values(clients).map((client) => client.get('/info')))
  expect(infos.map(({ body }) => [body['store'], body['simulated']])).toEqual([
    ['sqlite', false],
    ['memory', false],
    ['memory', true],
  ])

  const large = 'x'.repeat(2_000)
  expect((await clients.north.call('ask', large)).body.code).toBe('payload-too-large')
  expect((await clients.south.call('tell', large)).status).toBe(200)
  expect((await clients.north.call('ask', 'a', { timeout_ms: 6_000 })).body.code).toBe('invalid-request')
  expect((await clients.south.call('tell', 'a', { timeout_ms: 6_000 })).status).toBe(200)
  const types = await Promise.all(Object.values(clients).map((client) => client.get('/openapi.json')))
  expect(
    types.map(({ body }) => Object.keys(body['paths'] as object).filter((path) => /^\/tactics\/\w+$/.test(path))),
  ).toEqual([['/tactics/ask'], ['/tactics/tell'], ['/tactics/tell']])
})

describe('the log of an embedded service is', () => {
  function openLog() {
    const lines: Record<string, unknown>[] = []
    return { lines, logger: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) }) }
  }
  const ours = (lines: readonly Record<string, unknown>[]) => lines.filter(({ msg }) => msg === 'request')

  test("the application's, where a line has the ids of both", async () => {
    const { lines, logger } = openLog()
    const host = await embed(
      await openRuntime('answer'),
      {},
      openHost({ loggerInstance: logger, genReqId: () => 'host-7' }),
    )
    const { session_id } = (await host.inject(post('/ai/tactics/answer', { task: 'a' }))).json()
    expect(ours(lines)).toMatchObject([
      { reqId: 'host-7', request_id: expect.stringMatching(/-7/), session_id, path: '/ai/tactics/answer', status: 200 },
    ])
  })

  test('one of its own, if it is given one', async () => {
    const [outer, inner] = [openLog(), openLog()]
    const host = openHost({ loggerInstance: outer.logger })
    await embed(await openRuntime('answer'), { logger: inner.logger }, host)
    await host.inject('/ai/info')
    expect([ours(outer.lines).length, ours(inner.lines).length]).toEqual([0, 1])
  })
})

describe('the options of a service', () => {
  test('go before the settings of its runtime', async () => {
    const runtime = await openRuntime('answer', { env: { LLLM_BODY_LIMIT_BYTES: '1024', LLLM_TIMEOUT_MS: '5000' } })
    const codes = async (app: FastifyInstance) => {
      const bodies = [{ task: 'x'.repeat(2_000) }, { task: 'a', timeout_ms: 5_001 }, { task: 'a', timeout_ms: 5_000 }]
      const answers = await Promise.all(bodies.map((body) => app.inject(post('/ai/tactics/answer', body))))
      return answers.map((answer) => answer.json().code ?? answer.statusCode)
    }
    expect(await codes(await embed(runtime))).toEqual(['payload-too-large', 'invalid-request', 200])
    const options = { bodyLimitBytes: 4_096, timeoutMs: 6_000 }
    expect(await codes(await embed(runtime, options))).toEqual([200, 200, 200])
  })

  test.each([
    [{ timeoutMs: 0 }, 'The option "timeoutMs" must be a whole number from 1 to 86400000, not 0.'],
    [{ callsMax: 1.5 }, 'The option "callsMax" must be a whole number from 1 to 100000, not 1.5.'],
    [
      { bodyLimitBytes: '4096' },
      'The option "bodyLimitBytes" must be a whole number from 1024 to 1073741824, not string.',
    ],
    [{ timeoutMS: 1 }, 'There is no option "timeoutMS". Did you mean "timeoutMs"?'],
    [{ prefix: '/:tenant' }, 'it must be a path without parameters'],
  ])('%j are refused', async (options, message) => {
    const host = openHost()
    const embedding = embed(await openRuntime('answer'), options as object, host).then(() => host.ready())
    await expect(embedding).rejects.toMatchObject({
      code: 'invalid-settings',
      message: expect.stringContaining(message),
    })
  })
})

describe('a server for the service alone', () => {
  test('is ready, takes its settings from the runtime, and leaves it open when it closes', async () => {
    const { runtime, provider } = await openScripted(({ lastText }) => says(`re: ${lastText}`), {
      LLLM_TIMEOUT_MS: '5000',
    })
    const server = await createServer(runtime, { bodyLimitBytes: 1_024 })
    const client = createClient(await listen(server))
    expect((await client.call('answer', 'a')).body.result).toBe('re: a')
    expect((await client.call('answer', 'x'.repeat(2_000))).body.code).toBe('payload-too-large')
    expect((await client.call('answer', 'a', { timeout_ms: 5_001 })).body.code).toBe('invalid-request')
    expect((await client.get('/info')).body).toMatchObject({
      name: 'lllm',
      packages: [{ name: 'of_answer', origin: 'root' }],
    })
    await server.close()
    expect(await runtime.build('answer')('b')).toBe('re: b')
    expect(provider.requests).toHaveLength(2)
    await expect(createServer(runtime, { prefix: '/ai' } as object)).rejects.toThrow('There is no option "prefix"')
  })

  test('is for its own machine while there is no key, unless it is told to be open', async () => {
    const runtime = await openRuntime('answer')
    const ask = async (options: Parameters<typeof createServer>[1], host: string) => {
      const server = await createServer(runtime, options)
      onTestFinished(() => server.close())
      return (await server.inject({ url: '/tactics', headers: { host } })).statusCode
    }
    expect(await ask({}, 'localhost:8080')).toBe(200)
    expect(await ask({}, 'evil.example')).toBe(421)
    expect(await ask({ allowedHosts: 'lllm.internal' }, 'lllm.internal')).toBe(200)
    expect(await ask({ open: true }, 'lllm.example.org')).toBe(200)
    expect(await ask({ open: true, allowedHosts: 'lllm.internal' }, 'lllm.example.org')).toBe(421)
    await expect(createServer(runtime, { open: 'true' } as object)).rejects.toThrow('must be true or false, not string')
    await expect(createServer(runtime, { open: 1 } as object)).rejects.toThrow('must be true or false')
  })

  test('does not start for all pages of the web without a key, unless it is told to be open, which is warned of', async () => {
    const runtime = await openRuntime('answer')
    await expect(createServer(runtime, { corsOrigins: '*' })).rejects.toMatchObject({ code: 'invalid-settings' })
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
    const server = await createServer(runtime, { corsOrigins: '*', open: true, logger })
    onTestFinished(() => server.close())
    expect(lines.join()).toContain('every web page')
  })

  test('is not held up by a client in the middle of its headers', async () => {
    const server = await createServer(await openRuntime('answer'))
    const { port } = new URL(await listen(server))
    const socket = connect(Number(port), '127.0.0.1')
    const received = new Promise<void>((resolve) => server.server.once('connection', () => resolve()))
    socket.on('error', () => {}).write('GET /healthz HTTP/1.1\r\nhost')
    await received
    const ended = once(socket, 'close')
    await server.close()
    await ended
  })
})
