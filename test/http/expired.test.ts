import { describe, expect, test } from 'vitest'
import type { RetentionPart } from '../../src/domain/retention.ts'
import { runClient } from './run-client.ts'
import { openService } from './service.ts'

/** A service whose sessions and runs are all older than they may be, as soon as they are cleaned. */
async function open() {
  const service = await openService()
  return {
    service,
    ...runClient(service),
    async clean(part: RetentionPart) {
      const beforeMs = Date.now() + 60_000
      expect(await service.retention.clean({ part, beforeMs, afterId: '', rowsMax: 100 })).toMatchObject({
        nextId: null,
      })
    },
  }
}

describe('a session whose texts are gone', () => {
  test('is a 410 that says where its costs are; these are as before, in lists and reports too', async () => {
    const { service, post, get, clean } = await open()
    const { body } = await post('/tactics/shout', { task: 'hello' })
    const id = String(body['session_id'])
    const paths = ['/sessions', `/sessions/${id}/cost`, '/costs']
    const before = await Promise.all(paths.map(get))
    await clean('session-texts')
    const gone = await get(`/sessions/${id}`)
    expect(gone).toMatchObject({
      status: 410,
      body: {
        code: 'session-expired',
        retryable: false,
        detail: `What happened in session ${id} is not kept any more. Its costs are at /sessions/${id}/cost.`,
      },
    })
    const after = await Promise.all(paths.map(get))
    expect(after.map(({ status, body }) => [status, body])).toEqual(before.map(({ body }) => [200, body]))
    expect((await service.server.inject({ method: 'DELETE', url: `/sessions/${id}` })).statusCode).toBe(204)
    expect(await get(`/sessions/${id}`)).toMatchObject({ status: 404, body: { code: 'unknown-session' } })
  })
})

describe('a run whose texts are gone', () => {
  test('still tells its state, its times and its cost, and that there is no more', async () => {
    const { submit, ended, get, clean } = await open()
    const id = await submit('hello', { tags: { team: 'red' }, metadata: { secret: 'hunter2' } })
    const { state, started_at, ended_at, cost, tags } = await ended(id)
    await clean('run-texts')
    const { status, body } = await get(`/runs/${id}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ state, started_at, ended_at, cost, tags, expired: true })
    expect(body).toMatchObject({ task: null, result: null, error: null, metadata: {}, config: null, webhook: null })
    expect(state).toBe('success')
  })

  test('has nothing to wait for, to follow or to go on with', async () => {
    const { submit, ended, get, post, clean } = await open()
    const id = await submit('hello', {}, 'broken')
    expect((await ended(id))['state']).toBe('failure')
    await clean('run-texts')
    const expired = { status: 410, body: { code: 'session-expired' } }
    expect(await get(`/runs/${id}/wait`)).toMatchObject(expired)
    expect(await get(`/runs/${id}/events`)).toMatchObject(expired)
    expect(await get(`/sessions/${id}`)).toMatchObject(expired)
    expect(await post(`/runs/${id}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'run-conflict', detail: expect.stringContaining('not kept any more') },
    })
  })

  test('is expired among the results of its batch, which still counts it', async () => {
    const { service, post, get, ended, clean } = await open()
    const { body } = await post('/tactics/shout/batches', { tasks: ['one', 'two'] })
    const list = await get(`/runs?batch=${body.id}`)
    const runs = list.body['data'] as readonly { readonly id: string }[]
    await Promise.all(runs.map(({ id }) => ended(id)))
    await clean('run-texts')
    expect(await get(`/batches/${body.id}`)).toMatchObject({ status: 200, body: { counts: { success: 2 } } })
    const { body: lines } = await service.server.inject(`/batches/${body.id}/results`)
    const results = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(results).toEqual(
      [0, 1].map((index) => ({
        index,
        run_id: expect.any(String),
        status: 'expired',
        cost_usd: expect.any(Number),
      })),
    )
  })
})

describe('a run whose events are gone', () => {
  test('tells its end to whoever follows it from the start, and nothing to whoever had read on', async () => {
    const { service, submit, ended, clean } = await open()
    const id = await submit('hello')
    await ended(id)
    await clean('events')
    const answer = await service.server.inject(`/runs/${id}/events`)
    expect(answer.statusCode).toBe(200)
    expect(answer.body.match(/^event: .*$/gm)).toEqual(['event: result', 'event: end'])
    expect(answer.body).toContain('"result":"HELLO"')
    expect((await service.server.inject(`/runs/${id}/events?after=3`)).statusCode).toBe(204)
  })
})

test('a run that is removed because it is old is unknown, and so is its session', async () => {
  const { submit, ended, get, clean } = await open()
  const id = await submit('hello')
  await ended(id)
  await clean('runs')
  expect(await get(`/runs/${id}`)).toMatchObject({ status: 404, body: { code: 'unknown-run' } })
  expect(await get(`/sessions/${id}`)).toMatchObject({ status: 404, body: { code: 'unknown-session' } })
  expect((await get('/costs')).body['total']).toMatchObject({ sessions: 0 })
})
