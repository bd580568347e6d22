import fastify from 'fastify'
import { describe, expect, test, vi } from 'vitest'
import type { Authenticator } from '../../../src/domain/authenticator.ts'
import { type KeyLimits, operator } from '../../../src/domain/caller.ts'
import { isLllmError, LllmError } from '../../../src/domain/errors.ts'
import { createDoor, limitAddresses } from '../../../src/http/door/door.ts'
import type { DoorSettings } from '../../../src/http/door/door-settings.ts'
import { failuresAtOnceMax, failuresPerSecond } from '../../../src/http/door/failure-limiter.ts'
import { systemWorld } from '../../../src/system-world.ts'
import { memoryRates } from '../../support/memory-rates.ts'
import { virtualClock } from '../../support/virtual-clock.ts'
import { openService, type ServiceSketch } from '../service.ts'

/** A clock that a test moves, for what is counted; nobody else waits for it here. */
function stillWorld() {
  let nowMs = Date.UTC(2026, 0, 1)
  const world = { ...systemWorld, clock: { ...systemWorld.clock, now: () => nowMs } }
  return { world, advance: (durationMs: number) => (nowMs += durationMs) }
}

async function openLimited(settings: ServiceSketch['settings'], more: ServiceSketch = {}) {
  const { world, advance } = stillWorld()
  const { server } = await openService({ world, settings: { ...settings }, ...more })
  const get = (url: string, from = '192.0.2.1', headers = {}) => server.inject({ url, remoteAddress: from, headers })
  return { server, get, advance }
}

describe('an address', () => {
  test('has as many requests a minute as the setting says, and is told how many are left', async () => {
    const { get, advance } = await openLimited({ ratePerAddress: 2 })
    const answers = [await get('/tactics'), await get('/nowhere'), await get('/tactics')]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404, 429])
    expect(answers.map(({ headers }) => headers['ratelimit'])).toEqual([
      '"address";r=1;t=61',
      '"address";r=0;t=61',
      '"address";r=0;t=61',
    ])
    expect(answers[0]?.headers['ratelimit-policy']).toBe('"address";q=2;w=60')
    expect(answers[2]?.headers['retry-after']).toBe('61')
    expect(answers[2]?.headers['content-type']).toContain('application/problem+json')
    expect(answers[2]?.json()).toMatchObject({ code: 'rate-limited', status: 429, retryable: true })
    advance(61_000)
    expect((await get('/tactics')).statusCode).toBe(200)
  })

  test('does not use what others have, and an IPv6 network is one', async () => {
    const { get } = await openLimited({ ratePerAddress: 1 })
    const from = async (address: string) => (await get('/tactics', address)).statusCode
    expect(await from('192.0.2.1')).toBe(200)
    expect(await from('192.0.2.2')).toBe(200)
    expect(await from('2001:db8::1')).toBe(200)
    expect(await from('2001:db8::2')).toBe(429)
    expect(await from('2001:db8:0:1::1')).toBe(200)
  })

  test('may look whether the service is alive and ready as often as it likes', async () => {
    const { get } = await openLimited({ ratePerAddress: 1 })
    await get('/tactics')
    for (const url of ['/healthz', '/readyz']) {
      const answer = await get(url)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).not.toHaveProperty('ratelimit')
    }
  })

  test('is not what X-Forwarded-For says, unless that comes from a proxy that is trusted', async () => {
    const { get } = await openLimited({ ratePerAddress: 1, trustProxy: '10.0.0.0/8' })
    const through = async (proxy: string, told: string) =>
      (await get('/tactics', proxy, { 'x-forwarded-for': told })).statusCode
    expect(await through('10.0.0.1', '192.0.2.1')).toBe(200)
    expect(await through('10.0.0.2', '192.0.2.1')).toBe(429)
    expect(await through('10.0.0.1', '192.0.2.2')).toBe(200)
    // Whoever adds addresses of his own has the proxy add his real one after them.
    expect(await through('10.0.0.1', '198.51.100.1, 192.0.2.2')).toBe(429)
    expect(await through('192.0.2.9', '192.0.2.3')).toBe(200)
    expect(await through('192.0.2.9', '192.0.2.4')).toBe(429)
  })

  test('has no limit, and no headers, without the setting', async () => {
    const { get } = await openLimited({})
    for (let index = 0; index < 50; index++) {
      expect((await get('/healthz')).headers).not.toHaveProperty('ratelimit')
    }
  })

  test('is counted for all processes together where they share a store', async () => {
    const { rates } = memoryRates(() => Date.now())
    const services = [
      await openLimited({ ratePerAddress: 3 }, { rates }),
      await openLimited({ ratePerAddress: 3 }, { rates }),
    ]
    const codes: number[] = []
    for (let index = 0; index < 6; index++) {
      const answer = await services[index % 2]?.get('/tactics')
      codes.push(answer?.statusCode ?? 0)
    }
    expect(codes).toEqual([200, 200, 200, 429, 429, 429])
  })
})

describe('a caller who is known', () => {
  /** What whoever knows callers does after it has found out who it is. */
  function openKeyed(settings: DoorSettings, limits: KeyLimits = {}) {
    const { world } = stillWorld()
    const door = createDoor({ settings, clock: world.clock })
    const server = fastify()
    server.setErrorHandler((error, _request, reply) =>
      reply.code(isLllmError(error) && error.code === 'rate-limited' ? 429 : 500).send(),
    )
    limitAddresses(server, settings, door)
    server.addHook('onRequest', async ({ headers }, reply) => {
      const [tenant = '', keyId = null] = String(headers['x-caller']).split('/')
      await door.admitCaller(reply, { tenant, keyId, scopes: [], limits })
    })
    server.get('/tactics', async () => 'here')
    return (caller: string) => server.inject({ url: '/tactics', headers: { 'x-caller': caller } })
  }

  test('has a limit of its own beside that of the address, and both are told', async () => {
    const get = openKeyed({ ratePerKey: 2, ratePerAddress: 10 })
    const first = await get('team/one')
    expect(first.headers['ratelimit-policy']).toBe('"address";q=10;w=60, "key";q=2;w=60')
    expect(first.headers['ratelimit']).toBe('"address";r=9;t=61, "key";r=1;t=61')
    const others = [await get('team/one'), await get('team/one'), await get('team/two'), await get('others/one')]
    expect(others.map(({ statusCode }) => statusCode)).toEqual([200, 429, 200, 200])
  })

  test('may have another limit than the rest', async () => {
    const get = openKeyed({ ratePerKey: 1 }, { requestsPerMinute: 3 })
    const answers = [await get('team/one'), await get('team/one'), await get('team/one'), await get('team/one')]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429])
  })

  test('may have a name of any length', async () => {
    const get = openKeyed({ ratePerKey: 1 })
    const long = `team/${'a'.repeat(500)}`
    const answers = [await get(long), await get(long), await get(`${long}b`)]
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 429, 200])
  })

  test('has none where there is no setting, and where nobody has to say who he is', async () => {
    expect((await openKeyed({})('team/one')).headers).not.toHaveProperty('ratelimit')
    expect((await openKeyed({ ratePerKey: 1 })('team')).headers).not.toHaveProperty('ratelimit')
  })
})

describe('an address whose keys were refused often', () => {
  async function openGuarded() {
    const asked: string[] = []
    const good = new Set<string>()
    const authenticator: Authenticator = {
      isAtHand: (credential) => good.has(credential),
      isOpen: async () => false,
      async authenticate(credential) {
        asked.push(credential)
        if (!credential.includes('good')) throw new LllmError('unauthenticated', 'It is nobody’s.')
        good.add(credential)
        return { ...operator, keyId: credential }
      },
      isSelfContained: (credential) => credential.startsWith('token'),
    }
    const { clock, advance } = virtualClock()
    const { get } = await openLimited({}, { authenticator, world: { ...systemWorld, clock } })
    const show = async (key: string, from = '192.0.2.1') =>
      (await get('/sessions', from, { authorization: `Bearer ${key}` })).statusCode
    const showBad = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => show(`bad${index}`)))
    /** Shows so many that no more of them can wait for their turn either. */
    const failOften = async () => {
      let refused = 0
      for (let index = 0; index < 50; index++) {
        // Those that wait for their turn do so until the service ends.
        show(`bad${index}`).then(
          (code) => (refused += Number(code === 429)),
          () => {},
        )
      }
      await vi.waitFor(() => expect(refused).toBe(50 - failuresAtOnceMax - failuresPerSecond))
    }
    return { show, showBad, get, asked, advance, failOften }
  }

  test('has no more looked up than so many at once and so many a second, and others are not held up', async () => {
    const { show, showBad, get, asked, advance } = await openGuarded()
    const shown = showBad(150)
    const lookedUp = failuresAtOnceMax + failuresPerSecond
    await vi.waitFor(() => expect(asked).toHaveLength(failuresAtOnceMax))
    const refused = await get('/sessions', '192.0.2.1', { authorization: 'Bearer bad' })
    expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([
      429,
      'rate-limited',
      '1',
    ])
    expect(await show('good', '192.0.2.2')).toBe(200)
    await advance(1_000)
    const codes = await shown
    expect(codes.filter((code) => code === 401)).toHaveLength(lookedUp)
    expect(codes.filter((code) => code === 429)).toHaveLength(150 - lookedUp)
    expect(asked.filter((key) => key.startsWith('bad'))).toHaveLength(lookedUp)
  })

  test('is still let in with a key that was good before: whoever guesses does not lock others out', async () => {
    const { show, failOften } = await openGuarded()
    expect(await show('good')).toBe(200)
    await failOften()
    expect(await show('bad')).toBe(429)
    expect(await show('good')).toBe(200)
  })

  test('is let in with a token that nobody has seen before, and bad tokens are told that they are', async () => {
    const { show, failOften } = await openGuarded()
    await failOften()
    expect(await show('bad')).toBe(429)
    expect(await show('token.good')).toBe(200)
    for (let index = 0; index < failuresAtOnceMax + 5; index++) expect(await show(`token.bad${index}`)).toBe(401)
    expect(await show('token.good.again')).toBe(200)
  })

  test('is not one that has sent no key', async () => {
    const { show, get } = await openGuarded()
    for (let index = 0; index < failuresAtOnceMax + 5; index++) {
      expect((await get('/sessions', '192.0.2.1')).statusCode).toBe(401)
    }
    expect(await show('good')).toBe(200)
  })
})
