import fastify, { type FastifyPluginAsync } from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { workIdOf } from '../../src/http/keyed-request.ts'
import { mountService } from '../../src/http/mount-service.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'
import { openService } from './service.ts'

/** A service with a route that stores work, as one submits runs: under an id that there is, nothing is stored. */
async function openSubmission() {
  const { app } = await openService()
  const stored = new Map<string, unknown>()
  const fault: { before?: LllmError; after?: LllmError } = {}
  const storing = { begun: 0, gate: Promise.resolve() }
  const server = fastify()
  const service: FastifyPluginAsync = async (guest) => {
    await mountService(guest, app, 'guest')
    mountTacticRoute(guest, {
      suffix: '/submit',
      repeats: 'join',
      describe: () => ({ operationId: 'submit', access: 'call', summary: 'Submit', tags: ['Tactics'], responses: {} }),
      async answer(_tactic, request, reply) {
        if (fault.before !== undefined) throw fault.before
        const id = workIdOf(request) ?? app.world.newId()
        storing.begun += 1
        await storing.gate
        if (!stored.has(id)) stored.set(id, request.body)
        if (fault.after !== undefined) throw fault.after
        return reply.code(202).header('location', `/runs/${id}`).send({ id })
      },
    })
  }
  await server.register(service)
  onTestFinished(() => server.close())
  const post = (payload: object, headers: Record<string, string> = { 'idempotency-key': 'k' }) =>
    server.inject({ method: 'POST', url: '/shout/submit', payload, headers })
  return { post, stored, fault, storing }
}

const unavailable = new LllmError('store-unavailable', 'It did not answer.')

test('a hundred requests with one key at once create one piece of work, and all are told of it', async () => {
  const { post, stored } = await openSubmission()
  const answers = await Promise.all(Array.from({ length: 100 }, () => post({ task: 'a' })))
  expect(stored.size).toBe(1)
  const [id] = stored.keys()
  for (const { statusCode, headers, json } of answers) {
    expect([statusCode, headers.location, json().id]).toEqual([202, `/runs/${id}`, id])
  }
  const again = await post({ task: 'a' })
  expect(again.headers).toMatchObject({ location: `/runs/${id}`, 'idempotency-replayed': 'true' })
  expect((await post({ task: 'b' })).json().code).toBe('idempotency-mismatch')
})

test('without a key each request creates its own', async () => {
  const { post, stored } = await openSubmission()
  await Promise.all([post({ task: 'a' }, {}), post({ task: 'a' }, {})])
  expect(stored.size).toBe(2)
})

test('what may have been stored, although that failed, is found when the request comes again', async () => {
  const { post, stored, fault } = await openSubmission()
  fault.after = unavailable
  expect((await post({ task: 'a' })).statusCode).toBe(503)
  delete fault.after
  const again = await post({ task: 'a' })
  expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([202, undefined])
  expect([...stored.keys()]).toEqual([again.json().id])
})

test('what was refused before that leaves the key free for the corrected request', async () => {
  const { post, stored, fault } = await openSubmission()
  fault.before = new LllmError('invalid-task', 'It does not fit.')
  expect((await post({ task: 'a' })).statusCode).toBe(422)
  fault.before = unavailable
  expect((await post({ task: 'b' })).statusCode).toBe(503)
  delete fault.before
  expect((await post({ task: 'c' })).statusCode).toBe(202)
  expect([...stored.values()]).toEqual([{ task: 'c' }])
})

test('what is refused to one of two who ask at once does not free the key of the other', async () => {
  const { post, stored, fault, storing } = await openSubmission()
  const { promise, resolve } = Promise.withResolvers<void>()
  storing.gate = promise
  const slow = post({ task: 'a' })
  await vi.waitFor(() => expect(storing.begun).toBe(1), { interval: 2 })
  fault.before = unavailable
  expect((await post({ task: 'a' })).statusCode).toBe(503)
  delete fault.before
  const again = post({ task: 'a' })
  await vi.waitFor(() => expect(storing.begun).toBe(2), { interval: 2 })
  resolve()
  const { id } = (await slow).json()
  expect((await again).json()).toEqual({ id })
  expect([...stored.keys()]).toEqual([id])
})
