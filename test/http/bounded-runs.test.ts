import { describe, expect, test } from 'vitest'
import { farAway, runClient } from './run-client.ts'
import { openService } from './service.ts'

const dayMs = 86_400_000

describe('the time of a run', () => {
  test('is within 366 days', async () => {
    const { post } = runClient(await openService())
    const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString()
    for (const run_at of [inDays(366.1), '9999-12-31T00:00:00Z']) {
      const refused = {
        status: 422,
        body: {
          code: 'invalid-request',
          errors: [
            { pointer: '/run_at', message: expect.stringMatching(/^must be within 366 days from now, by \d{4}-/) },
          ],
        },
      }
      expect(await post('/tactics/shout/runs', { task: 'a', run_at })).toMatchObject(refused)
      expect(await post('/tactics/shout/batches', { tasks: ['a'], run_at })).toMatchObject(refused)
    }
    expect((await post('/tactics/shout/runs', { task: 'a', run_at: inDays(365.9) })).status).toBe(202)
  })

  test('is as bounded where it comes in the query', async () => {
    const { server } = await openService()
    const answer = await server.inject({
      method: 'POST',
      url: '/tactics/shout/batches?run_at=9999-12-31',
      headers: { 'content-type': 'application/jsonl' },
      payload: '"a"\n',
    })
    expect(answer.json()).toMatchObject({
      status: 400,
      code: 'invalid-parameter',
      errors: [{ pointer: '/query/run_at' }],
    })
  })
})

describe('the runs of a tenant that wait', () => {
  test('are no more than they may be: those beyond are refused, until there are fewer', async () => {
    const service = await openService({ queuedRunsMax: 3 })
    const { post, submit } = runClient(service)
    const ids = [await submit('a', { run_at: farAway }), await submit('a', { run_at: farAway })]
    const batch = { tasks: ['a', 'b'], run_at: farAway }
    const answer = await post('/tactics/shout/batches', batch)
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'retry-after': '10' },
      body: { code: 'rate-limited', retryable: true },
    })
    ids.push(await submit('a', { run_at: farAway }))
    expect((await post('/tactics/shout/runs', { task: 'a' })).body).toMatchObject({
      code: 'rate-limited',
      detail: expect.stringContaining('3 runs that wait'),
    })
    expect((await post('/tactics/shout/batches', { tasks: Array(4).fill('a') })).body).toMatchObject({
      status: 422,
      code: 'invalid-request',
    })
    expect((await service.app.runs.list({}, 10)).data).toHaveLength(3)
  })

  test('do not keep a request from being sent again that has queued one of them', async () => {
    const { server } = await openService({ queuedRunsMax: 1 })
    const send = (key: string) =>
      server.inject({
        method: 'POST',
        url: '/tactics/shout/runs',
        headers: { 'idempotency-key': key },
        payload: { task: 'a', run_at: farAway },
      })
    const first = await send('one')
    expect(first.statusCode).toBe(202)
    expect((await send('two')).statusCode).toBe(429)
    expect((await send('one')).json()).toEqual(first.json())
  })
})
