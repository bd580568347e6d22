import fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { isLllmError } from '../../../src/domain/errors.ts'
import { createDoor, limitAddresses } from '../../../src/http/door/door.ts'
import type { DoorSettings } from '../../../src/http/door/door-settings.ts'
import { failuresPerMinuteMax } from '../../../src/http/door/failure-limiter.ts'
import { systemWorld } from '../../../src/system-world.ts'
import { memoryRates } from '../../support/memory-rates.ts'
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
  function openKeyed(settings: DoorSettings, perMinute?: number) {
    const { world } = stillWorld()
    const door = createDoor({ settings, clock: world.clock })
    const server = fastify()
    server.setErrorHandler((error, _request, reply) =>
      reply.code(isLllmError(error) && error.code === 'rate-limited' ? 429 : 500).send(),
    )
    limitAddresses(server, settings, door)
    server.addHook('onRequest', async ({ headers }, reply) =>
      door.admitCaller(reply, String(headers['x-caller']), perMinute),
    )
    server.get('/tactics', async () => 'here')
    return (caller: string) => server.inject({ url: '/tactics', headers: { 'x-caller': caller } })
  }

  test('has a limit of its own beside that of the address, and both are told', async () => {
    const get = openKeyed({ ratePerKey: 2, ratePerAddress: 10 })
    const first = await get('one')
    expect(first.headers['ratelimit-policy']).toBe('"address";q=10;w=60, "key";q=2;w=60')
    expect(first.headers['ratelimit']).toBe('"address";r=9;t=61, "key";r=1;t=61')
    expect([await get('one'), await get('one'), await get('two')].map(({ statusCode }) => statusCode)).toEqual([
      200, 429, 200,
    ])
  })

  test('may have another limit than the rest', async () => {
    const get = openKeyed({ ratePerKey: 1 }, 3)
    const codes = [await get('one'), await get('one'), await get('one'), await get('one')].map((r) => r.statusCode)
    expect(codes).toEqual([200, 200, 200, 429])
  })

  test('has none where there is no setting', async () => {
    const get = openKeyed({})
    expect((await get('one')).headers).not.toHaveProperty('ratelimit')
  })
})

test('an address that has failed often is refused before anything is done for it, and others are not', async () => {
  const { server, advance } = await openLimited({})
  const { failures } = server.lllm.door
  const request = (ip: string) => ({ ip, raw: { socket: {} } }) as Parameters<typeof failures.check>[0]
  for (let index = 0; index < failuresPerMinuteMax; index++) {
    failures.check(request('192.0.2.1'))
    failures.note(request('192.0.2.1'))
  }
  expect(() => failures.check(request('192.0.2.1'))).toThrow(expect.objectContaining({ code: 'rate-limited' }))
  failures.check(request('192.0.2.2'))
  advance(61_000)
  failures.check(request('192.0.2.1'))
})
