import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import underPressure from '@fastify/under-pressure'
import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { lllmPlugin } from '../../src/index.ts'
import { says, status } from '../support/scripted-provider.ts'
import { embed, openHost, openRuntime, openScripted } from './support/embedding.ts'

const post = (url: string, payload: object) => ({ method: 'POST', url, payload }) as const

describe('under its prefix, the service', () => {
  test('answers calls, batches and streams, and looks back at them', async () => {
    const { runtime } = await openScripted(({ lastText }) => says(`re: ${lastText}`))
    const app = await embed(runtime)
    const called = await app.inject(post('/ai/tactics/answer', { task: 'a' }))
    expect(called.json()).toMatchObject({ result: 're: a', session_id: expect.any(String) })
    const batch = await app.inject(post('/ai/tactics/answer/batch', { tasks: ['a', 'b'] }))
    expect(batch.json().counts).toMatchObject({ success: 2 })
    const stream = await app.inject(post('/ai/tactics/of_answer::answer/stream', { task: 'a' }))
    expect(stream.body).toMatch(/event: result\ndata: {"result":"re: a"[^\n]*\n\nid: \d+\nevent: end\n/)
    const session = await app.inject(`/ai/sessions/${called.json().session_id}`)
    expect(session.json()).toMatchObject({ tactic_id: 'of_answer::answer', result: 're: a' })
    for (const path of ['tactics', 'costs', 'budgets', 'info', 'healthz', 'readyz']) {
      expect((await app.inject(`/ai/${path}`)).statusCode, path).toBe(200)
      expect((await app.inject(`/${path}`)).statusCode, path).toBe(404)
    }
  })

  test('tells problems whose links lead somewhere', async () => {
    const { runtime } = await openScripted(() => status(400))
    const app = await embed(runtime)
    const answers = [
      await app.inject(post('/ai/tactics/answer', { task: 'a' })),
      await app.inject(post('/ai/tactics/answer', { task: 7 })),
      await app.inject({
        ...post('/ai/tactics/answer', {}),
        payload: '{',
        headers: { 'content-type': 'application/json' },
      }),
      await app.inject('/ai/sessions?limit=0'),
      await app.inject('/ai/nothing'),
      await app.inject({ method: 'DELETE', url: '/ai/tactics/answer' }),
    ]
    const codes = answers.map((answer) => answer.json().code)
    expect(codes).toEqual([
      'provider-rejected',
      'invalid-task',
      'malformed-json',
      'invalid-parameter',
      'route-not-found',
      'method-not-allowed',
    ])
    expect(answers[5]?.headers.allow).toBe('GET, HEAD, POST')
    for (const answer of answers) {
      const { type, instance, request_id } = answer.json()
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(answer.headers['x-request-id']).toBe(request_id)
      expect(instance).toMatch(/^\/ai\//)
      const page = await app.inject(type)
      expect(page.statusCode, type).toBe(200)
      expect((await app.inject(/href="([^"]+)"/.exec(page.body)?.[1] ?? '')).statusCode).toBe(200)
    }
    const batch = await app.inject(post('/ai/tactics/answer/batch', { tasks: ['a'] }))
    expect(batch.json().items[0].error.type).toBe('/ai/docs/errors/provider-rejected')
  })

  test('has its document, with paths from the prefix on, and its pages', async () => {
    const app = await embed(await openRuntime('answer'))
    const { servers, paths } = (await app.inject('/ai/openapi.json')).json()
    expect(servers).toMatchObject([{ url: '/ai' }])
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/tactics/answer', '/sessions/{id}', '/openapi.json']))
    expect(Object.keys(paths).filter((path) => path.startsWith('/ai'))).toEqual([])
    await expectPages(app, '/ai/docs')
  })

  test('gives each request an id, or keeps the one that it brings', async () => {
    const app = await embed(await openRuntime('answer'))
    const idOf = async (headers = {}) => (await app.inject({ url: '/ai/healthz', headers })).headers['x-request-id']
    expect(await idOf()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    expect(await idOf({ 'x-request-id': 'mine' })).toBe('mine')
  })
})

async function expectPages(app: Awaited<ReturnType<typeof embed>>, path: string) {
  const page = await app.inject(path)
  expect(page.statusCode).toBe(200)
  const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '')
  expect(sources.length).toBeGreaterThan(3)
  for (const source of sources) {
    const { pathname } = new URL(source, `http://app${path}`)
    expect(pathname.startsWith(path), pathname).toBe(true)
    expect((await app.inject(pathname)).statusCode, pathname).toBe(200)
  }
}

describe('outside of the prefix, the application', () => {
  test('keeps its errors, bodies, answers, ids and what it does not find', async () => {
    const host = openHost({ genReqId: () => 'host-1' })
    host.setErrorHandler((error, _request, reply) => reply.code(418).send({ host: (error as Error).message }))
    host.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing here' }))
    host.setReplySerializer((payload) => JSON.stringify({ wrapped: payload }))
    host.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => done(null, { csv: body }))
    host.post('/echo', async ({ body, id }) => ({ body, id }))
    host.get('/fails', async () => {
      throw new Error('as ever')
    })
    await embed(await openRuntime('answer', { env: { LLLM_BODY_LIMIT_BYTES: '1024' } }), {}, host)

    const large = 'x'.repeat(5_000)
    const echoed = await host.inject(post('/echo', { large }))
    expect(echoed.json()).toEqual({ wrapped: { body: { large }, id: 'host-1' } })
    expect(echoed.headers).not.toHaveProperty('x-request-id')
    const csv = await host.inject({
      method: 'POST',
      url: '/echo',
      payload: 'a,b',
      headers: { 'content-type': 'text/csv' },
    })
    expect(csv.json().wrapped.body).toEqual({ csv: 'a,b' })
    expect((await host.inject('/fails')).json()).toEqual({ wrapped: { host: 'as ever' } })
    for (const url of ['/nothing', '/aim', '/docs', '/openapi.json']) {
      expect((await host.inject(url)).json(), url).toEqual({ host: 'nothing here' })
    }

    // And what it has is nothing to the service.
    const refused = await host.inject({
      ...post('/ai/tactics/answer', {}),
      payload: 'a',
      headers: { 'content-type': 'text/csv' },
    })
    expect(refused.json()).toMatchObject({ code: 'unsupported-media-type' })
    expect((await host.inject(post('/ai/tactics/answer', { task: large }))).json().code).toBe('payload-too-large')
    expect((await host.inject('/ai/healthz')).json()).toEqual({ status: 'ok' })
    expect((await host.inject('/ai/nothing')).json()).toMatchObject({ code: 'route-not-found' })
  })

  test('may use the names that the service uses', async () => {
    const host = openHost()
    host.decorate('lllm', 'of the host' as never)
    host.decorate('swagger', () => 'of the host' as never)
    for (const name of ['story', 'accepts', 'type', 'types', 'language'])
      host.decorateRequest(name, () => 'of the host')
    host.get('/names', async (request) => {
      const { accepts } = request as unknown as { accepts(): string }
      return [host.lllm, host.swagger(), accepts()]
    })
    await embed(await openRuntime('answer'), {}, host)
    expect((await host.inject('/names')).json()).toEqual(['of the host', 'of the host', 'of the host'])
    expect((await host.inject(post('/ai/tactics/answer', { task: 'a' }))).statusCode).toBe(200)
    const csv = await host.inject({ url: '/ai/costs', headers: { accept: 'text/csv' } })
    expect(csv.headers['content-type']).toContain('text/csv')
  })

  test('may have a document and pages of its own, of which the service is no part', async () => {
    const host = openHost()
    await host.register(swagger, { openapi: { info: { title: 'The host', version: '1' } } })
    await host.register(swaggerUi, { routePrefix: '/docs' })
    host.get('/orders', { schema: { summary: 'Orders' } }, async () => [])
    await embed(await openRuntime('answer'), {}, host)
    await host.ready()
    const own = host.swagger() as { readonly info: { readonly title: string }; readonly paths: object }
    expect([own.info.title, Object.keys(own.paths)]).toEqual(['The host', ['/orders']])
    await expectPages(host, '/docs')
    await expectPages(host, '/ai/docs')
    expect(Object.keys((await host.inject('/ai/openapi.json')).json().paths)).not.toContain('/orders')
    const { 'content-security-policy': policy } = (await host.inject('/docs')).headers
    expect(policy).toBeUndefined()
  })

  test('keeps what is not found, also when the service has no prefix', async () => {
    const host = openHost()
    host.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing here' }))
    await host.register(lllmPlugin, { runtime: await openRuntime('answer') })
    expect((await host.inject('/nothing')).json()).toEqual({ host: 'nothing here' })
    expect((await host.inject(post('/tactics/answer', { task: 'a' }))).statusCode).toBe(200)
    expect((await host.inject('/sessions?limit=0')).json().type).toBe('/docs/errors/invalid-parameter')
  })
})

describe('who may come in, and how often, is up to the application', () => {
  const refusal = (statusCode: number, code: string) => Object.assign(new Error('Not you.'), { statusCode, code })

  test.each(['onRequest', 'preHandler'] as const)('and its %s hook refuses in its own words', async (hook) => {
    const { runtime, provider } = await openScripted(() => says('in'))
    const host = openHost()
    host.setErrorHandler((error, _request, reply) => {
      const { message, statusCode } = error as { message: string; statusCode: number }
      return reply.code(statusCode).send({ host: message })
    })
    host.addHook(hook, async ({ headers }) => {
      if (headers.authorization !== 'Bearer sesame') throw refusal(401, 'NO_ENTRY')
    })
    await embed(runtime, {}, host)
    const call = post('/ai/tactics/answer', { task: 'a' })
    const refused = await host.inject(call)
    expect([refused.statusCode, refused.json()]).toEqual([401, { host: 'Not you.' }])
    expect(provider.requests).toHaveLength(0)
    const admitted = await host.inject({ ...call, headers: { authorization: 'Bearer sesame' } })
    expect(admitted.json()).toMatchObject({ result: 'in' })
  })

  test('and it answers as Fastify does where it has no words for it', async () => {
    const host = openHost()
    host.addHook('onRequest', async () => {
      throw refusal(429, 'TOO_MANY')
    })
    await embed(await openRuntime('answer'), {}, host)
    expect((await host.inject('/ai/info')).json()).toMatchObject({ statusCode: 429, code: 'TOO_MANY' })
  })
})

test('at the root, a file that the pages at /docs do not have is told by the application, and logged as any request', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  const host = openHost()
  host.setNotFoundHandler(async () => ({ host: 'Nothing here.' }))
  await host.register(lllmPlugin, { runtime: await openRuntime('answer'), prefix: '/', logger })
  expect((await host.inject('/docs/static/nothing.js')).json()).toEqual({ host: 'Nothing here.' })
  await vi.waitFor(() => expect(lines.join()).toContain('/docs/static/nothing.js'), { interval: 2 })
  expect((await host.inject('/info')).statusCode).toBe(200)
})

describe('at its door, the service', () => {
  const origin = 'https://app.example.org'
  const env = { LLLM_RATE_PER_ADDRESS: '1', LLLM_CORS_ORIGINS: origin, LLLM_LOOP_DELAY_MAX_MS: '1' }

  test('does nothing of its own, whatever the variables say: that is up to the application', async () => {
    const app = await embed(await openRuntime('answer', { env }))
    for (let index = 0; index < 3; index++) {
      const { statusCode, headers } = await app.inject({ url: '/ai/tactics', headers: { origin } })
      expect(statusCode).toBe(200)
      const names = Object.keys(headers).filter((name) =>
        /^(access-control|ratelimit|content-security|x-frame)/.test(name),
      )
      expect(names).toEqual([])
    }
  })

  test('does what its options say, below its prefix, also beside the same of the application', async () => {
    const host = openHost()
    await host.register(helmet, { contentSecurityPolicy: false, xFrameOptions: { action: 'sameorigin' } })
    await host.register(underPressure, { maxEventLoopDelay: 60_000 })
    host.get('/orders', async () => [])
    const options = { ratePerAddress: 2, corsOrigins: origin, securityHeaders: 'on', loopDelayMaxMs: 60_000 } as const
    const app = await embed(await openRuntime('answer'), options, host)
    const get = (url: string) => app.inject({ url, headers: { origin } })
    const answer = await get('/ai/tactics')
    expect(answer.headers).toMatchObject({ 'x-frame-options': 'DENY', 'access-control-allow-origin': origin })
    expect((await get('/ai/nothing')).statusCode).toBe(404)
    expect((await get('/ai/tactics')).json()).toMatchObject({
      code: 'rate-limited',
      type: '/ai/docs/errors/rate-limited',
    })
    const { statusCode, headers } = await get('/orders')
    expect(statusCode).toBe(200)
    expect(headers).toMatchObject({ 'x-frame-options': 'SAMEORIGIN' })
    for (const name of ['content-security-policy', 'access-control-allow-origin', 'ratelimit']) {
      expect(headers).not.toHaveProperty(name)
    }
  })

  test('answers for the hosts that its options name, while there is no key', async () => {
    const app = await embed(await openRuntime('answer'), { allowedHosts: 'app.example.org' })
    const ask = async (host: string) => (await app.inject({ url: '/ai/tactics', headers: { host } })).statusCode
    expect([await ask('app.example.org'), await ask('localhost:80'), await ask('evil.example')]).toEqual([
      200, 200, 421,
    ])
  })

  test('leaves origins to an application that names some itself', async () => {
    const host = openHost()
    await host.register(cors, { origin })
    const both = embed(await openRuntime('answer'), { corsOrigins: origin }, host)
    await expect(both).rejects.toThrow('leave corsOrigins out')
  })

  test('refuses options that do not fit, and those of a server', async () => {
    const runtime = await openRuntime('answer')
    const refused = [
      { corsOrigins: 'app.example.org' },
      { securityHeaders: 'yes' },
      { ratePerAddress: '1' },
      { trustProxy: 'loopback' },
      { allowedHosts: 'app.example.org:8080' },
      { open: true },
    ]
    for (const options of refused) {
      const app = embed(runtime, options as Parameters<typeof embed>[1])
      await expect(app, JSON.stringify(options)).rejects.toMatchObject({ code: 'invalid-settings' })
    }
  })
})
