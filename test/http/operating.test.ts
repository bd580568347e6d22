import { describe, expect, test } from 'vitest'
import { errorCodes, LllmError } from '../../src/domain/errors.ts'
import { requestIdOf } from '../../src/http/request-id.ts'
import { traceIdOf } from '../../src/http/trace-parent.ts'
import { openService } from './service.ts'

test('the tactics are listed with their schemas, and shown one by one', async () => {
  const { server } = await openService()
  const { data, next_cursor } = (await server.inject('/tactics')).json()
  expect(next_cursor).toBeNull()
  expect(data.map(({ name }: { name: string }) => name)).toEqual(['broken', 'count-nodes', 'shout'])
  expect(data[1]).toEqual((await server.inject('/tactics/count-nodes')).json())
  expect((await server.inject('/tactics/')).json()).toEqual((await server.inject('/tactics')).json())
  expect(data[1]).toMatchObject({
    id: 'demo::count-nodes',
    package: 'demo',
    version: '1.2.3',
    description: 'Counts the nodes of a tree and shouts its label.',
    agents: [{ name: 'counter', model: 'test-model', prompt: null }],
    sub_tactics: ['shout'],
    configs: ['default'],
    input_schema: { type: 'object', required: ['label'] },
    output_schema: { type: 'object', properties: { count: { type: 'integer' } } },
  })
})

test('the info says plainly that the model is simulated', async () => {
  const { server } = await openService()
  expect((await server.inject('/info')).json()).toEqual({
    name: 'lllm',
    version: '0.1.0',
    simulated: true,
    notice: expect.stringContaining('The model is simulated'),
    packages: [{ name: 'demo', version: '1.2.3', origin: 'root', aliases: [] }],
    store: 'memory',
    invokers: [{ name: 'scripted', simulated: true }],
  })
})

describe('the service is', () => {
  test('alive', async () => {
    const { server } = await openService()
    expect((await server.inject('/healthz')).json()).toEqual({ status: 'ok' })
  })

  test('ready when its store can be written', async () => {
    let pings = 0
    const { server } = await openService({ store: { ping: async () => void pings++ } })
    expect((await server.inject('/readyz')).json()).toEqual({ status: 'ready' })
    await server.inject('/readyz')
    expect(pings).toBe(1)
  })

  test('not ready when its store cannot', async () => {
    const ping = async () => {
      throw new LllmError('store-unavailable', 'The disk is full.')
    }
    const { server } = await openService({ store: { ping } })
    const response = await server.inject('/readyz')
    expect(response.statusCode).toBe(503)
    expect(response.json().code).toBe('store-unavailable')
    expect((await server.inject('/healthz')).statusCode).toBe(200)
  })

  test('not ready, and takes no calls, while it is draining', async () => {
    const { server } = await openService()
    await server.lllm.shutdown.drain(0)
    for (const response of [
      await server.inject('/readyz'),
      await server.inject({ method: 'POST', url: '/tactics/shout', payload: { task: 'a' } }),
      await server.inject({ method: 'POST', url: '/tactics/shout/batch', payload: { tasks: ['a'] } }),
    ]) {
      expect(response.json()).toMatchObject({ code: 'draining', status: 503, retryable: true })
      expect(response.headers).toMatchObject({ 'retry-after': '5', connection: 'close' })
    }
    expect((await server.inject('/sessions')).statusCode).toBe(200)
  })
})

describe('a request id', () => {
  test('that is sound is kept, and every answer carries one', async () => {
    const { server } = await openService()
    const idOf = async (url: string, headers = {}) => (await server.inject({ url, headers })).headers['x-request-id']
    expect(await idOf('/healthz', { 'x-request-id': 'my.id-7' })).toBe('my.id-7')
    for (const url of ['/healthz', '/nope', '/tactics/%zz', '/docs/', '/openapi.json'])
      expect(await idOf(url)).toMatch(/-7/)
  })

  test.each(['', ' ', 'a b', 'ä', 'x'.repeat(129), 'a\nb', undefined])('%j is replaced', (given) => {
    expect(requestIdOf({ headers: { 'x-request-id': given } }, () => 'made')).toBe('made')
  })
})

describe('a traceparent', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'

  test('gives its trace id to the log', async () => {
    const { server, logLines } = await openService()
    await server.inject({ url: '/healthz', headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
    expect(logLines.at(-1)).toMatchObject({ trace_id: traceId })
  })

  test.each([
    ['of this version', `00-${traceId}-b7ad6b7169203331-01`, traceId],
    ['of a later version', `01-${traceId}-b7ad6b7169203331-01-more`, traceId],
    ['with too much', `00-${traceId}-b7ad6b7169203331-01-more`, undefined],
    ['of no version', `ff-${traceId}-b7ad6b7169203331-01`, undefined],
    ['with zeros only', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
    ['in upper case', `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`, undefined],
    ['that is something else', 'hello', undefined],
  ])('%s is read as the standard says', (_what, header, expected) => {
    expect(traceIdOf(header)).toBe(expected)
  })
})

describe('the log has', () => {
  test('one line for a request, with its call but not its contents', async () => {
    const { server, logLines } = await openService()
    const { session_id } = (
      await server.inject({ method: 'POST', url: '/tactics/shout?key=sesame', payload: { task: 'the prompt' } })
    ).json()
    expect(logLines).toHaveLength(1)
    expect(logLines[0]).toMatchObject({
      request_id: expect.any(String),
      method: 'POST',
      path: '/tactics/shout',
      status: 200,
      ms: expect.any(Number),
      tactic: 'shout',
      session_id,
    })
    expect(JSON.stringify(logLines)).not.toMatch(/prompt|PROMPT|sesame/)
  })

  test('the cause of a bug, which the answer does not have', async () => {
    const list = async () => {
      throw Object.assign(new Error('secret of the store'), { config: { apiKey: 'sk-1' } })
    }
    const { server, logLines } = await openService({ store: { list } })
    const response = await server.inject('/sessions')
    expect(response.json()).toMatchObject({ code: 'internal-error', status: 500 })
    expect(response.body).not.toContain('secret')
    expect(JSON.stringify(logLines)).toContain('secret of the store')
    expect(JSON.stringify(logLines)).not.toContain('sk-1')
  })
})

test('every error code has a page, to which the type of a problem leads', async () => {
  const { server } = await openService()
  for (const code of Object.keys(errorCodes)) {
    const page = await server.inject(`/docs/errors/${code}`)
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).toContain(`<code>${code}</code>`)
  }
})

test('the pages at /docs come from the service alone', async () => {
  const { server } = await openService()
  const page = await server.inject('/docs')
  expect(page.statusCode).toBe(200)
  const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '')
  expect(sources.length).toBeGreaterThan(3)
  for (const source of sources) {
    const { pathname, host } = new URL(source, 'http://service/docs')
    expect(host).toBe('service')
    expect((await server.inject(pathname)).statusCode).toBe(200)
  }
  expect(page.headers['content-security-policy']).not.toContain('upgrade-insecure-requests')
  expect(page.headers['content-security-policy']).not.toContain('validator.swagger.io')
  // The page sets styles of its own: without this a browser complains.
  expect(page.headers['content-security-policy']).toContain("style-src 'self' 'unsafe-inline'")
})

test.each([
  ['a name with a zero byte', '%00'],
  ['one that ends with it', 'index.html%00.js'],
  ['a name that is longer than any file has', 'a'.repeat(5_000)],
  ['backslashes', '..%5c..%5cpackage.json'],
  ['slashes that are written by their code', '..%2f..%2fpackage.json'],
  ['a folder', '.'],
  ['nothing', ''],
  ['what is not there', 'nothing.js'],
])('of the files of /docs, %s is not found, and no failure of the service', async (_what, name) => {
  const { server, logLines } = await openService()
  const answer = await server.inject(`/docs/static/${name}`)
  expect(answer.statusCode).toBe(404)
  expect(answer.json()).toMatchObject({ code: 'route-not-found' })
  expect(logLines.filter(({ level }) => Number(level) >= 40)).toEqual([])
})
