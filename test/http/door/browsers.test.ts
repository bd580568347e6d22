import { describe, expect, test } from 'vitest'
import { errorCodes } from '../../../src/domain/errors.ts'
import { openService } from '../service.ts'

type Headers = Readonly<Record<string, unknown>>

const corsHeaders = (headers: Headers) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

describe('security headers', () => {
  const expected = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }

  test('are on every answer, also on those that are refused', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'on' } })
    for (const url of ['/healthz', '/tactics', '/nowhere', '/sessions?limit=0', '/openapi.json']) {
      const { headers } = await server.inject(url)
      expect(headers, url).toMatchObject(expected)
      expect(headers, url).not.toHaveProperty('strict-transport-security')
    }
  })

  test('are on streams', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'on' } })
    const { headers } = await server.inject({
      method: 'POST',
      url: '/tactics/shout/stream',
      payload: { task: 'a' },
    })
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream', ...expected })
  })

  test('have browsers come by https only where that was asked for', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'hsts' } })
    const { headers } = await server.inject('/healthz')
    expect(headers).toMatchObject({ ...expected, 'strict-transport-security': 'max-age=31536000; includeSubDomains' })
  })

  test('can be left to whoever is in front', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'off' } })
    const { headers } = await server.inject('/healthz')
    for (const name of Object.keys(expected)) expect(headers).not.toHaveProperty(name)
  })

  test('allow the pages of the service what these need', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'on' } })
    const docs = await server.inject('/docs/')
    const policy = String(docs.headers['content-security-policy'])
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('https:')
    expect(docs.headers['x-content-type-options']).toBe('nosniff')
    // Neither a script nor an event handler stands in the page itself.
    const scripts = [...docs.body.matchAll(/<script\b([^>]*)>([^<]*)/g)]
    expect(scripts.length).toBeGreaterThan(1)
    for (const [, attributes, text] of scripts)
      expect([/\bsrc="/.test(attributes ?? ''), text?.trim()]).toEqual([true, ''])
    expect(docs.body).not.toMatch(/\son[a-z]+\s*=|javascript:/i)
  })

  test('find nothing in the page of an error that they forbid', async () => {
    const { server } = await openService({ settings: { securityHeaders: 'on' } })
    for (const code of Object.keys(errorCodes)) {
      const page = await server.inject(`/docs/errors/${code}`)
      expect(page.headers['content-security-policy']).toBe(expected['content-security-policy'])
      expect(page.body).not.toMatch(/<(?:script|style|link|img|form|base|iframe)\b|\sstyle=|\son[a-z]+\s*=/i)
    }
  })
})

describe('a page of another origin', () => {
  const origin = 'https://app.example.org'
  const open = (corsOrigins?: readonly string[]) => openService({ settings: { corsOrigins, ratePerAddress: 100 } })
  const preflight = (from: string, url = '/tactics/shout') =>
    ({
      method: 'OPTIONS',
      url,
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    }) as const

  test('may use the service, and read its headers, where its origin is named', async () => {
    const { server } = await open(['https://other.example.org', origin])
    const asked = await server.inject(preflight(origin))
    expect(asked.statusCode).toBe(204)
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-allow-credentials': 'true',
      vary: expect.stringContaining('Origin'),
    })
    expect(asked.headers['access-control-allow-methods']).toContain('POST')
    const answers = [
      await server.inject({ method: 'POST', url: '/tactics/shout', payload: { task: 'a' }, headers: { origin } }),
      await server.inject({ url: '/nowhere', headers: { origin } }),
      await server.inject({
        method: 'POST',
        url: '/tactics/shout/stream',
        payload: { task: 'a' },
        headers: { origin },
      }),
    ]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404, 200])
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBe(origin)
      expect(headers['access-control-expose-headers']).toContain('ratelimit')
    }
  })

  test('may not where it is another one', async () => {
    const { server } = await open([origin])
    for (const other of ['https://evil.example', 'null', `${origin}.evil.example`, 'http://app.example.org']) {
      expect((await server.inject(preflight(other))).headers).not.toHaveProperty('access-control-allow-origin')
      const answer = await server.inject({ url: '/tactics', headers: { origin: other } })
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    }
  })

  test('may where all are named, without the cookies of its user', async () => {
    const { server } = await open(['*'])
    const { headers } = await server.inject(preflight('https://any.example'))
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*' })
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  test('may not without the setting', async () => {
    const { server } = await open()
    expect(corsHeaders((await server.inject({ url: '/tactics', headers: { origin } })).headers)).toEqual([])
    expect((await server.inject(preflight(origin))).statusCode).toBe(405)
  })

  test('does not change which paths and methods there are', async () => {
    const { server } = await open([origin])
    const answers = [await server.inject({ method: 'DELETE', url: '/tactics' }), await server.inject('/nowhere/at/all')]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([405, 404])
    expect(answers[0]?.headers.allow).toBe('GET, HEAD')
  })

  test('is not counted for asking first, and reads why it was refused', async () => {
    const { server } = await openService({ settings: { corsOrigins: [origin], ratePerAddress: 1 } })
    for (let index = 0; index < 3; index++) expect((await server.inject(preflight(origin))).statusCode).toBe(204)
    await server.inject('/tactics')
    const refused = await server.inject({ url: '/tactics', headers: { origin } })
    expect(refused.statusCode).toBe(429)
    expect(refused.headers['access-control-allow-origin']).toBe(origin)
  })
})
