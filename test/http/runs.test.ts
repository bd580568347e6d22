import fastify, { type FastifyPluginAsync } from 'fastify'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { mountService } from '../../src/http/mount-service.ts'
import { farAway, hold, runClient } from './run-client.ts'
import { listen, openService, type ServiceSketch } from './service.ts'

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

async function open(sketch?: ServiceSketch) {
  const service = await openService(sketch)
  return { service, ...runClient(service) }
}

describe('a run', () => {
  test('is queued by a 202 that says where it is, and then found there', async () => {
    const { post, get } = await open()
    const { status, headers, body } = await post('/tactics/shout/runs', { task: 'hello', run_at: farAway })
    expect([status, headers['location']]).toEqual([202, `/runs/${body.id}`])
    expect(body).toEqual({
      id: expect.any(String),
      tactic: 'shout',
      tactic_id: 'demo::shout',
      state: 'queued',
      attempt: 0,
      priority: 0,
      created_at: expect.stringMatching(timePattern),
      run_at: farAway,
      started_at: null,
      ended_at: null,
      duration_ms: null,
      cancel_reason: null,
      batch_id: null,
      batch_index: null,
      schedule: null,
      session_id: body.id,
      tags: {},
      llm_calls: 0,
      cost_usd: 0,
      expired: false,
      metadata: {},
      config: 'default',
      timeout_ms: 60_000,
      budget_usd: null,
      limits: {},
      webhook: null,
      task: 'hello',
      result: null,
      error: null,
      cost: expect.objectContaining({ total_tokens: 0, cost_usd: 0, unpriced_calls: 0 }),
    })
    expect(await get(`/runs/${body.id}`)).toMatchObject({ status: 200, body })
  })

  test('ends as a session with its id', async () => {
    const { submit, ended, get } = await open()
    const id = await submit({ label: 'a', children: [{ label: 'b' }] }, {}, 'count-nodes')
    expect(await ended(id)).toMatchObject({
      state: 'success',
      attempt: 1,
      started_at: expect.stringMatching(timePattern),
      ended_at: expect.stringMatching(timePattern),
      duration_ms: expect.any(Number),
      result: { count: 2, label: 'A' },
      error: null,
      llm_calls: 2,
      cost: { total_tokens: 60 },
      cost_usd: 0.000006,
    })
    expect((await get(`/sessions/${id}`)).body).toMatchObject({
      id,
      state: 'success',
      result: { count: 2, label: 'A' },
    })
  })

  test('is told with all that it was submitted with', async () => {
    const { post, get, service } = await open({ judgeWebhook: () => undefined })
    const asked = {
      config: 'default',
      tags: { team: 'search' },
      metadata: { row: 7 },
      timeout_ms: 5_000,
      budget_usd: 0.5,
      limits: { tokens: 100, llm_calls: 3, depth: 1 },
      priority: -7,
      // In another time zone.
      run_at: farAway.replace('Z', '+00:00'),
      webhook: { url: 'https://example.org/told?by=run' },
    }
    const { body } = await post('/tactics/shout/runs', { task: 'hello', ...asked })
    expect((await get(`/runs/${body.id}`)).body).toMatchObject({ ...asked, run_at: farAway })
    expect(service.model.callCount).toBe(0)
  })

  test('that failed is a 200 that says why', async () => {
    const { submit, ended } = await open()
    const run = await ended(await submit('a', {}, 'broken'))
    expect(run).toMatchObject({ state: 'failure', result: null, error: { code: 'tactic-failed' }, cost_usd: 0.000003 })
    expect(JSON.stringify(run)).not.toContain('hunter2')
  })

  test('keeps to its limits', async () => {
    const { submit, ended } = await open()
    expect(await ended(await submit('a', { limits: { llm_calls: 0 } }))).toMatchObject({
      state: 'failure',
      error: { code: 'budget-exceeded', budget: { unit: 'llm_calls', limit: 0 } },
    })
    const { service, submit: submitSlow, ended: slowEnded } = await open()
    hold(service.model)
    expect(await slowEnded(await submitSlow('a', { timeout_ms: 20 }))).toMatchObject({
      error: { code: 'deadline-exceeded' },
    })
  })

  test('that can come to a simulated model says so in its head', async () => {
    const { service, post } = await open()
    const simulated = async () => (await post('/tactics/shout/runs', { task: 'a' })).headers['lllm-simulated']
    expect(await simulated()).toBeUndefined()
    service.model.simulated = true
    expect(await simulated()).toBe('true')
  })

  test('is where the service is, under its prefix', async () => {
    const { service } = await open()
    const host = fastify()
    const mounted: FastifyPluginAsync = (guest) => mountService(guest, service.app, 'guest')
    await host.register(mounted, { prefix: '/ai' })
    onTestFinished(() => host.close())
    const { headers } = await host.inject({ method: 'POST', url: '/ai/tactics/shout/runs', payload: { task: 'a' } })
    expect(headers.location).toMatch(/^\/ai\/runs\//)
    expect((await host.inject(`${headers.location}/wait`)).json()).toMatchObject({ result: 'A' })
  })

  test('is not taken while the service shuts down, and those that there are can be read', async () => {
    const { service, submit, post, get } = await open()
    const id = await submit('a', { run_at: farAway })
    service.server.lllm.shutdown.stop()
    for (const [url, payload] of [
      ['/tactics/shout/runs', { task: 'a' }],
      ['/tactics/shout/batches', { tasks: ['a'] }],
    ] as const) {
      const { status, headers, body } = await post(url, payload)
      expect([status, body.code, headers['retry-after']]).toEqual([503, 'draining', '5'])
    }
    expect((await get(`/runs/${id}`)).status).toBe(200)
    expect((await get('/runs')).body['data']).toHaveLength(1)
  })
})

describe('a webhook', () => {
  test('is refused where the service sends none', async () => {
    const { post } = await open()
    const webhook = { url: 'https://example.org/' }
    expect(await post('/tactics/shout/runs', { task: 'a', webhook })).toMatchObject({
      status: 422,
      body: {
        code: 'invalid-request',
        errors: [{ pointer: '/webhook/url', message: expect.stringContaining('no webhooks') }],
      },
    })
  })

  test('is refused in the words of whoever judges it', async () => {
    const judgeWebhook = vi.fn((url: string) => (url.startsWith('https:') ? undefined : 'must be https'))
    const { post } = await open({ judgeWebhook })
    const answer = await post('/tactics/shout/batches', { tasks: ['a'], webhook: { url: 'http://example.org/' } })
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/webhook/url', message: 'must be https' }] })
    const fine = await post('/tactics/shout/batches', { tasks: ['a'], webhook: { url: 'https://example.org/' } })
    expect(fine.status).toBe(202)
    expect(judgeWebhook.mock.calls).toEqual([['http://example.org/'], ['https://example.org/']])
  })
})

describe('a wait', () => {
  test('ends with the run', async () => {
    const { service, submit, ended } = await open()
    const { open: openGate, asked } = hold(service.model)
    const id = await submit()
    const waiting = ended(id)
    await asked
    openGate()
    expect(await waiting).toMatchObject({ state: 'success', result: 'HELLO' })
  })

  test('ends by itself with a 202, and the run as it is then', async () => {
    const { submit, get } = await open()
    const id = await submit('a', { run_at: farAway })
    expect(await get(`/runs/${id}/wait?timeout_ms=1`)).toMatchObject({ status: 202, body: { id, state: 'queued' } })
  })

  test('ends when its client hangs up, which changes nothing for the run', async () => {
    const { service, submit, ended } = await open()
    const { open: openGate, asked } = hold(service.model)
    const wait = vi.spyOn(service.app.runs, 'wait')
    const id = await submit()
    const leaving = new AbortController()
    const left = fetch(`${await listen(service)}/runs/${id}/wait`, { signal: leaving.signal })
    await vi.waitFor(() => expect(wait).toHaveBeenCalled())
    leaving.abort()
    await expect(left).rejects.toThrow()
    await vi.waitFor(() => expect(wait.mock.lastCall?.[2].aborted).toBe(true))
    await asked
    openGate()
    expect(await ended(id)).toMatchObject({ state: 'success' })
  })

  test('ends with a 202 when the service shuts down', async () => {
    const { service, submit } = await open()
    const id = await submit('a', { run_at: farAway })
    const wait = vi.spyOn(service.app.runs, 'wait')
    const waiting = fetch(`${await listen(service)}/runs/${id}/wait`)
    await vi.waitFor(() => expect(wait).toHaveBeenCalled())
    const closing = service.server.close()
    const answer = await waiting
    expect([answer.status, answer.headers.get('connection')]).toEqual([202, 'close'])
    await closing
  })
})

describe('a cancellation', () => {
  test('ends a run that waits at once, and says why', async () => {
    const { submit, post, get } = await open()
    const id = await submit('a', { run_at: farAway })
    const cancelled = await post(`/runs/${id}/cancel`, { reason: 'not needed' })
    expect(cancelled).toMatchObject({ status: 202, body: { state: 'cancelled', cancel_reason: 'not needed' } })
    expect((await get(`/runs/${id}`)).body).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } })
  })

  test('ends a run that is under way soon after, down to its provider', async () => {
    const { service, submit, post, ended } = await open()
    const { asked } = hold(service.model)
    const id = await submit()
    await asked
    expect(await post(`/runs/${id}/cancel`)).toMatchObject({ status: 202, body: { state: 'running' } })
    expect(await ended(id)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } })
  })

  test('takes an empty body that is said to be JSON', async () => {
    const { service, submit } = await open()
    const id = await submit('a', { run_at: farAway })
    const headers = { 'content-type': 'application/json' }
    const answer = await service.server.inject({ method: 'POST', url: `/runs/${id}/cancel`, headers })
    expect(answer.statusCode).toBe(202)
  })

  test('of a run that has ended is a 409', async () => {
    const { submit, post, ended } = await open()
    const id = await submit()
    await ended(id)
    const { status, body } = await post(`/runs/${id}/cancel`)
    expect([status, body.code]).toEqual([409, 'run-conflict'])
  })
})

describe('a run is resumed', () => {
  test('after a failure, and goes on', async () => {
    const { service, submit, post, ended } = await open()
    const { answer } = service.model
    service.model.answer = () => Promise.reject(new Error('no'))
    const id = await submit()
    expect(await ended(id)).toMatchObject({ state: 'failure' })
    service.model.answer = answer
    expect(await post(`/runs/${id}/resume`)).toMatchObject({ status: 202, body: { id, error: null } })
    expect(await ended(id)).toMatchObject({ state: 'success', attempt: 2, result: 'HELLO' })
  })

  test('not when it goes on by itself, nor when it has succeeded', async () => {
    const { submit, post, ended } = await open()
    const conflict = { status: 409, body: { code: 'run-conflict' } }
    expect(await post(`/runs/${await submit('a', { run_at: farAway })}/resume`)).toMatchObject(conflict)
    const id = await submit()
    await ended(id)
    expect(await post(`/runs/${id}/resume`)).toMatchObject(conflict)
  })
})

test('a run is deleted with its session, once it has ended', async () => {
  const { submit, post, get, remove, ended } = await open()
  const id = await submit('a', { run_at: farAway })
  expect(await remove(`/runs/${id}`)).toMatchObject({ status: 409, body: { code: 'run-conflict' } })
  await post(`/runs/${id}/cancel`)
  expect((await remove(`/runs/${id}`)).status).toBe(204)
  expect((await get(`/runs/${id}`)).status).toBe(404)

  const done = await submit()
  await ended(done)
  expect((await remove(`/runs/${done}`)).status).toBe(204)
  expect((await get(`/sessions/${done}`)).status).toBe(404)
  expect((await remove(`/runs/${done}`)).body.code).toBe('unknown-run')
})

describe('the list of runs', () => {
  const idsOf = ({ body }: { readonly body: object }) =>
    (body as { readonly data: readonly { readonly id: string }[] }).data.map(({ id }) => id)

  test('is newest first, in pages that no run is on twice', async () => {
    const { submit, get } = await open()
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.push(await submit('a', { run_at: farAway }))
    const seen: string[] = []
    for (let cursor = ''; cursor !== null; ) {
      const page = await get(`/runs?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...idsOf(page))
      cursor = page.body['next_cursor'] as string
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
    const times = (await get('/runs')).body['data'] as { readonly created_at: string }[]
    expect(times.map((run) => run.created_at)).toEqual(
      times
        .map((run) => run.created_at)
        .toSorted()
        .reverse(),
    )
  })

  test('leaves out what can be long', async () => {
    const { submit, get } = await open()
    const id = await submit('a', { run_at: farAway, metadata: { a: 1 } })
    const [run] = (await get('/runs')).body['data'] as object[]
    expect(run).toMatchObject({ id, session_id: id, state: 'queued' })
    for (const member of ['task', 'result', 'error', 'metadata']) expect(run).not.toHaveProperty(member)
  })

  test('can be narrowed by tactic, state, batch and tags', async () => {
    const { submit, get, post, ended } = await open()
    const shouted = await submit('a', { tags: { team: 'search', 'cost.center': '7' } })
    const broken = await submit('a', { tags: { team: 'mail' } }, 'broken')
    await ended(shouted)
    await ended(broken)
    const batch = await post('/tactics/shout/batches', { tasks: ['a'], run_at: farAway })
    const [ofBatch] = idsOf(await get(`/runs?batch=${batch.body.id}`))
    const listed = async (query: string) => idsOf(await get(`/runs?${query}`)).toSorted()
    expect(await listed('tactic=shout')).toEqual([shouted, ofBatch].toSorted())
    expect(await listed('tactic=demo::broken')).toEqual([broken])
    expect(await listed('tactic=nobody')).toEqual([])
    expect(await listed('state=failure')).toEqual([broken])
    expect(await listed('state=queued')).toEqual([ofBatch])
    expect(await listed('tag.team=search&tag.cost.center=7')).toEqual([shouted])
    expect(await listed('tag.team=search&state=failure')).toEqual([])
    expect(await listed('batch=none')).toEqual([])
  })
})
