import { describe, expect, test } from 'vitest'
import type { Authenticator } from '../../../src/domain/authenticator.ts'
import { operator } from '../../../src/domain/caller.ts'
import { createOpenGuard } from '../../../src/http/door/open-guard.ts'
import { openService, type ServiceSketch } from '../service.ts'

type Settings = NonNullable<ServiceSketch['settings']>
type Headers = Readonly<Record<string, string>>

/** What a service without a key answers to requests with these headers. */
async function openKeyless(settings: Settings) {
  const { server, model } = await openService({ settings })
  const ask = async (headers: Headers, url = '/sessions') => {
    const { statusCode, json } = await server.inject({ url, headers })
    return statusCode === 200 ? 200 : [statusCode, json().code]
  }
  const call = (headers: Headers) =>
    server.inject({ method: 'POST', url: '/tactics/shout', payload: { task: 'a' }, headers })
  return { server, model, ask, call }
}

const misdirected = [421, 'misdirected-request']
const foreign = [403, 'origin-forbidden']

describe('a service of this machine without a key', () => {
  test.each([
    'localhost',
    'localhost:8080',
    'LocalHost:80',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1:3000',
    '[::1]',
    '[::1]:8080',
  ])('answers for the host %s', async (host) => {
    const { ask } = await openKeyless({ open: false })
    expect(await ask({ host })).toBe(200)
  })

  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'evil.localhost',
    'localhost@evil.example',
    '127.0.0.1.nip.io',
    '127.0.0.2',
    '[::1',
    '::1',
    '0.0.0.0:8080',
  ])('does not answer for the host %s, by which a page of somebody else may have been led here', async (host) => {
    const { ask, call, model } = await openKeyless({ open: false })
    for (const url of ['/sessions', '/metrics', '/openapi.json', '/docs', '/nowhere']) {
      expect(await ask({ host }, url), url).toEqual(misdirected)
    }
    const origin = `http://${host}`
    expect((await call({ host, origin, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(421)
    expect(model.callCount).toBe(0)
  })

  test('tells as a problem which hosts it answers for, and how there are others', async () => {
    const { call } = await openKeyless({ open: false, allowedHosts: ['lllm.internal'] })
    const answer = await call({ host: 'evil.example' })
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({
      status: 421,
      detail: expect.stringMatching(/localhost, 127\.0\.0\.1, \[::1\], lllm\.internal.*LLLM_ALLOWED_HOSTS/),
    })
  })

  test('answers for further hosts that are named, and for no others', async () => {
    const { ask } = await openKeyless({ open: false, allowedHosts: ['lllm.internal', '[2001:db8::1]'] })
    expect(await ask({ host: 'LLLM.internal:8080' })).toBe(200)
    expect(await ask({ host: '[2001:db8::1]:8080' })).toBe(200)
    expect(await ask({ host: 'localhost' })).toBe(200)
    expect(await ask({ host: 'internal' })).toEqual(misdirected)
  })

  test('is alive and ready whatever whoever asks calls it', async () => {
    const { ask } = await openKeyless({ open: false })
    for (const url of ['/healthz', '/readyz']) expect(await ask({ host: '10.0.0.7:8080' }, url)).toBe(200)
  })

  test('answers only who comes by this machine’s own address', () => {
    const guard = createOpenGuard({ open: false })
    const from = (localAddress: string | undefined) =>
      guard({ method: 'GET', headers: { host: 'localhost' }, socket: { localAddress } })?.code
    for (const own of ['127.0.0.1', '127.0.0.53', '::1', '::ffff:127.0.0.1', undefined]) {
      expect(from(own)).toBeUndefined()
    }
    for (const other of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '::']) {
      expect(from(other)).toBe('unauthenticated')
    }
  })
})

describe('a service for all who reach it', () => {
  test('answers for whatever host, as names of containers may be any', async () => {
    const { ask } = await openKeyless({ open: true })
    for (const host of ['server:8080', '10.0.0.7', 'lllm.example.org']) expect(await ask({ host })).toBe(200)
  })

  test('answers only for the hosts that are named, and for this machine, where some are', async () => {
    const { ask } = await openKeyless({ open: true, allowedHosts: ['server'] })
    expect([await ask({ host: 'server:8080' }), await ask({ host: 'localhost:8080' })]).toEqual([200, 200])
    expect(await ask({ host: 'evil.example' })).toEqual(misdirected)
  })

  test('answers by every address', () => {
    const request = { method: 'GET', headers: { host: 'a' }, socket: { localAddress: '192.0.2.1' } }
    expect(createOpenGuard({ open: true })(request)).toBeUndefined()
  })
})

describe.each([
  ['of this machine', { open: false }],
  ['for all who reach it', { open: true }],
])('a service %s without a key', (_which, settings) => {
  const host = 'localhost:8080'
  const page = 'http://evil.example'

  test('answers those who send no word of a page, and its own pages', async () => {
    const { ask, call } = await openKeyless(settings)
    expect(await ask({ host })).toBe(200)
    for (const own of [
      { origin: 'http://localhost:8080' },
      { origin: 'http://localhost', host: 'localhost:80' },
      { origin: 'https://localhost', host: 'localhost:443' },
      { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
      { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      // What is in front took the TLS off, or named another host to the service.
      { origin: 'https://localhost:8080' },
      { origin: 'https://lllm.example.org', 'sec-fetch-site': 'same-origin' },
    ] satisfies Headers[]) {
      expect((await call({ host, ...own })).statusCode, JSON.stringify(own)).toBe(200)
    }
  })

  test.each([
    [{ origin: page }],
    [{ origin: page, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    [{ origin: 'null' }],
    [{ origin: 'null', 'sec-fetch-site': 'cross-site' }],
    // Another service of the same machine.
    [{ origin: 'http://localhost:3000' }],
    [{ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    [{ origin: 'http://localhost:8080.evil.example' }],
    [{ origin: 'localhost:8080' }],
    // A form.
    [{ origin: page, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ] satisfies [Headers][])('refuses a page with %j before anything is done', async (headers) => {
    const { call, ask, server, model } = await openKeyless(settings)
    const answer = await call({ host, ...headers })
    expect([answer.statusCode, answer.json().code]).toEqual(foreign)
    const cancel = await server.inject({ method: 'POST', url: '/runs/none/cancel', headers: { host, ...headers } })
    expect([cancel.statusCode, cancel.json().code]).toEqual(foreign)
    if (!('sec-fetch-dest' in headers)) expect(await ask({ host, ...headers })).toEqual(foreign)
    expect(model.callCount).toBe(0)
  })

  test('shows what a link of another page leads to, and frames nowhere', async () => {
    const { server } = await openKeyless(settings)
    const follow = (destination: string) => {
      const headers = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
      return server.inject({ url: '/docs/', headers: { ...headers, 'sec-fetch-dest': destination } })
    }
    expect((await follow('document')).statusCode).toBe(200)
    expect((await follow('iframe')).statusCode).toBe(403)
    expect((await follow('object')).statusCode).toBe(403)
  })

  test('lets in the pages whose origins are named, and asks no more of them', async () => {
    const origin = 'https://app.example.org'
    const { call, ask } = await openKeyless({ ...settings, corsOrigins: [origin] })
    const answer = await call({ host, origin, 'sec-fetch-site': 'cross-site' })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
    expect(await ask({ host, origin: page })).toEqual(foreign)
    const all = await openKeyless({ ...settings, corsOrigins: ['*'] })
    expect((await all.call({ host, origin: page, 'sec-fetch-site': 'cross-site' })).statusCode).toBe(200)
  })
})

test('where callers need a key, neither hosts nor pages are looked at: no page of somebody else has a key', async () => {
  const authenticator: Authenticator = { isOpen: async () => false, authenticate: async () => operator }
  const { server } = await openService({ authenticator, settings: { open: false } })
  const headers = { host: 'evil.example', origin: 'http://evil.example', authorization: 'Bearer one' }
  expect((await server.inject({ url: '/sessions', headers })).statusCode).toBe(200)
  expect((await server.inject({ url: '/openapi.json', headers })).statusCode).toBe(200)
})

test('once there is a key, hosts and pages are not looked at any more', async () => {
  let hasKey = false
  const authenticator: Authenticator = { isOpen: async () => !hasKey, authenticate: async () => operator }
  const { server } = await openService({ authenticator, settings: { open: false } })
  const ask = async (url: string) => {
    const headers = { host: 'lllm.example.org', authorization: 'Bearer one' }
    return (await server.inject({ url, headers })).statusCode
  }
  expect([await ask('/sessions'), await ask('/docs/')]).toEqual([421, 421])
  hasKey = true
  expect([await ask('/sessions'), await ask('/docs/')]).toEqual([200, 200])
})

test('a service in somebody’s application leaves both to that, unless its hosts are named', async () => {
  const headers = { host: 'evil.example', origin: 'http://other.example' }
  expect(await (await openKeyless({})).ask(headers)).toBe(200)
  expect(await (await openKeyless({ allowedHosts: ['app.example'] })).ask(headers)).toEqual(misdirected)
})
