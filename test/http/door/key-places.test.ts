import { expect, test, vi } from 'vitest'
import type { Authenticator } from '../../../src/domain/authenticator.ts'
import { operator } from '../../../src/domain/caller.ts'
import { createKeyPlaces } from '../../../src/http/door/key-places.ts'
import { openService } from '../service.ts'

const caller = (keyId: string | null, concurrency?: number, tenant = 'default') => ({
  ...operator,
  tenant,
  keyId,
  limits: concurrency === undefined ? {} : { concurrency },
})

test('a key has as many places as it may, which are free again when they are given back', () => {
  const places = createKeyPlaces()
  const giveBack = places.enter(caller('a', 3), 2)
  places.enter(caller('a', 3), 1)
  expect(() => places.enter(caller('a', 3), 1)).toThrow(expect.objectContaining({ code: 'rate-limited' }))
  places.enter(caller('b', 3), 3)
  places.enter(caller('a', 3, 'other'), 3)
  giveBack()
  places.enter(caller('a', 3), 2)
})

test('a key without a limit, and nobody at all, have as many as they like', () => {
  const places = createKeyPlaces()
  for (let index = 0; index < 100; index++) {
    places.enter(caller('a'), 100)
    places.enter(caller(null, 1), 100)
  }
})

test('a call and a batch beyond that are refused, and told how to ask for less', async () => {
  const authenticator: Authenticator = { isOpen: async () => false, authenticate: async (key) => caller(key, 2) }
  const { server, model } = await openService({ authenticator })
  const released = Promise.withResolvers<string>()
  model.answer = () => released.promise
  const post = (url: string, payload: object) =>
    server.inject({ method: 'POST', url, payload, headers: { authorization: 'Bearer one' } })
  const batch = await post('/tactics/shout/batch', { tasks: ['a', 'b', 'c'], max_workers: 3 })
  expect(batch.json()).toMatchObject({ code: 'rate-limited', detail: expect.stringContaining('max_workers') })
  const calls = [post('/tactics/shout', { task: 'a' }), post('/tactics/shout', { task: 'b' })]
  await vi.waitFor(() => expect(model.callCount).toBe(2))
  const refused = await post('/tactics/shout', { task: 'c' })
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1'])
  expect((await server.inject({ url: '/sessions', headers: { authorization: 'Bearer one' } })).statusCode).toBe(200)
  released.resolve('done')
  expect((await Promise.all(calls)).map(({ statusCode }) => statusCode)).toEqual([200, 200])
  expect((await post('/tactics/shout', { task: 'd' })).statusCode).toBe(200)
})
