import { describe, expect, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { farAway, runClient } from './run-client.ts'
import { listen, openService, type ServiceSketch } from './service.ts'
import { getAndPause } from './stream-client.ts'

const json = 'application/json'
const jsonl = 'application/jsonl'

async function open(sketch?: ServiceSketch) {
  const service = await openService(sketch)
  const client = runClient(service)
  const { get } = client
  const send = async (payload: string, query = '', type = jsonl, tactic = 'shout') => {
    const url = `/tactics/${tactic}/batches${query}`
    const answer = await service.server.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() }
  }
  return {
    service,
    ...client,
    /** Posts a body as it is. */
    send,
    /** The lines that a batch came to. */
    async results(id: string) {
      const { body, headers } = await service.server.inject(`/batches/${id}/results`)
      expect(headers['content-type']).toBe(jsonl)
      return body
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    },
    /** The batch, once all of its runs have ended. */
    ended: (id: string) =>
      vi.waitFor(async () => {
        const { body } = await get(`/batches/${id}`)
        expect(body).toMatchObject({ counts: { queued: 0, running: 0 } })
        return body
      }),
    runCount: async () => ((await get('/runs?limit=200')).body['data'] as object[]).length,
  }
}

describe('a batch of runs', () => {
  test('is queued by a 202 that says where it is, and then found there', async () => {
    const { post, get } = await open()
    const payload = { tasks: ['a', 'b'], tags: { team: 'search' }, run_at: farAway }
    const { status, headers, body } = await post('/tactics/shout/batches', payload)
    expect([status, headers['location']]).toEqual([202, `/batches/${body.id}`])
    expect(body).toEqual({
      id: expect.any(String),
      tactic: 'shout',
      tactic_id: 'demo::shout',
      tags: { team: 'search' },
      created_at: expect.stringMatching(/Z$/),
      counts: { queued: 2, running: 0, success: 0, failure: 0, cancelled: 0 },
      cost: expect.objectContaining({ total_tokens: 0 }),
      cost_usd: 0,
    })
    expect(await get(`/batches/${body.id}`)).toMatchObject({ status: 200, body })
    expect((await get('/batches')).body).toMatchObject({ data: [body], next_cursor: null })
  })

  test('has a run for each task, with what was asked for all of them', async () => {
    const { post, get } = await open({ judgeWebhook: () => undefined })
    const asked = {
      tags: { team: 'search' },
      metadata: { row: 1 },
      priority: 3,
      timeout_ms: 500,
      run_at: farAway,
      limits: { tokens: 9 },
      webhook: { url: 'https://example.org/' },
    }
    const { body } = await post('/tactics/shout/batches', { tasks: ['a', 'b'], run_budget_usd: 0.25, ...asked })
    const { data } = (await get(`/runs?batch=${body.id}`)).body as never as { data: readonly { id: string }[] }
    const runs = await Promise.all(data.map(async ({ id }) => (await get(`/runs/${id}`)).body))
    expect(runs.sort((left, right) => Number(left['batch_index']) - Number(right['batch_index']))).toMatchObject([
      { ...asked, batch_id: body.id, batch_index: 0, task: 'a', budget_usd: 0.25 },
      { ...asked, batch_id: body.id, batch_index: 1, task: 'b', budget_usd: 0.25 },
    ])
  })

  test('comes to a line for each task, in their order, failures among them', async () => {
    const { service, post, ended, results } = await open()
    const { answer } = service.model
    service.model.answer = async (request, signal) => {
      if (request.messages.at(-1)?.content === 'bad') throw new Error('no')
      return answer(request, signal)
    }
    const { body } = await post('/tactics/shout/batches', { tasks: ['one', 'bad', 'three'] })
    expect(await ended(body.id)).toMatchObject({ counts: { success: 2, failure: 1 }, cost_usd: 0.000006 })
    expect(await results(body.id)).toEqual([
      { index: 0, run_id: expect.any(String), status: 'success', result: 'ONE', cost_usd: 0.000003 },
      {
        index: 1,
        run_id: expect.any(String),
        status: 'failure',
        error: expect.objectContaining({
          type: '/docs/errors/tactic-failed',
          status: 500,
          request_id: expect.any(String),
        }),
        // A request of which nothing came back may have been billed.
        cost_usd: null,
      },
      { index: 2, run_id: expect.any(String), status: 'success', result: 'THREE', cost_usd: 0.000003 },
    ])
  })

  test('tells of runs that have not ended, and of those that were cancelled', async () => {
    const { post, results } = await open()
    const { body } = await post('/tactics/shout/batches', { tasks: ['a', 'b'], run_at: farAway })
    const [first] = await results(body.id)
    expect(first).toEqual({ index: 0, run_id: expect.any(String), status: 'queued', cost_usd: 0 })
    await post(`/runs/${first.run_id}/cancel`)
    expect(await results(body.id)).toMatchObject([
      { index: 0, status: 'cancelled', error: { code: 'cancelled', status: 409 } },
      { index: 1, status: 'queued' },
    ])
  })

  test('is cancelled as a whole', async () => {
    const { post, results, get } = await open()
    const { body } = await post('/tactics/shout/batches', { tasks: ['a', 'b'], run_at: farAway })
    const cancelled = await post(`/batches/${body.id}/cancel`, { reason: 'too many' })
    expect(cancelled).toMatchObject({ status: 202, body: { counts: { queued: 0, cancelled: 2 } } })
    const [{ run_id: id }] = await results(body.id)
    expect((await get(`/runs/${id}`)).body['cancel_reason']).toBe('too many')
    // Cancelling it again changes nothing.
    expect((await post(`/batches/${body.id}/cancel`)).status).toBe(202)
  })

  test('is listed in pages, newest first', async () => {
    const { post, get } = await open()
    const ids: string[] = []
    for (const task of ['a', 'b', 'c']) {
      ids.push((await post('/tactics/shout/batches', { tasks: [task], run_at: farAway })).body.id)
    }
    const seen: string[] = []
    for (let cursor = ''; cursor !== null; ) {
      const { body } = await get(`/batches?limit=2${cursor && `&cursor=${cursor}`}`)
      seen.push(...(body['data'] as { id: string }[]).map(({ id }) => id))
      cursor = body['next_cursor'] as string
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })

  test('says so when its model is simulated', async () => {
    const { service, post } = await open()
    service.model.simulated = true
    const { headers } = await post('/tactics/shout/batches', { tasks: ['a'], run_at: farAway })
    expect(headers['lllm-simulated']).toBe('true')
  })
})

describe('tasks that come a line each', () => {
  test('become runs as those of a JSON body do, whatever the ends of their lines', async () => {
    const { send, ended, results } = await open()
    for (const type of [jsonl, 'application/x-ndjson', 'Application/JSONL; charset=utf-8']) {
      const { status, headers, body } = await send('\ufeff"one"\r\n\n  "two"  \n\n"drei ä"', '', type)
      expect([status, headers.location]).toEqual([202, `/batches/${body.id}`])
      expect(await ended(body.id)).toMatchObject({ counts: { success: 3 } })
      expect((await results(body.id)).map(({ result }) => result)).toEqual(['ONE', 'TWO', 'DREI Ä'])
    }
  })

  test('have the rest of what a body says in the query', async () => {
    const { send, get } = await open({ judgeWebhook: () => undefined })
    const url = encodeURIComponent('https://example.org/?a=1')
    const query = `?config=default&timeout_ms=500&priority=-3&run_at=${farAway.slice(0, 10)}&run_budget_usd=0.25&webhook=${url}`
    const { status, body } = await send('"a"\n', `${query}&tag.team=search&tag.cost.center=7`)
    expect(status).toBe(202)
    const { data } = (await get(`/runs?batch=${body.id}`)).body as never as { data: readonly { id: string }[] }
    expect((await get(`/runs/${data[0]?.id}`)).body).toMatchObject({
      config: 'default',
      timeout_ms: 500,
      priority: -3,
      run_at: farAway,
      budget_usd: 0.25,
      webhook: { url: 'https://example.org/?a=1' },
      tags: { team: 'search', 'cost.center': '7' },
    })
    expect(body.tags).toEqual({ team: 'search', 'cost.center': '7' })
  })

  test('are at most as many as a batch has', async () => {
    const { send, runCount } = await open()
    const lines = '"a"\n'.repeat(51)
    expect(await send(lines)).toMatchObject({
      status: 422,
      body: { code: 'invalid-request', errors: [{ pointer: '', message: expect.stringContaining('1 to 50 tasks') }] },
    })
    const tasks = JSON.stringify({ tasks: Array(51).fill('a') })
    expect(await send(tasks, '', json)).toMatchObject({ status: 422, body: { errors: [{ pointer: '/tasks' }] } })
    expect(await runCount()).toBe(0)
  })

  test.each([
    ['nothing', '', 400, 'malformed-json', undefined, 'The body is empty'],
    ['empty lines', '\n \n', 422, 'invalid-request', '', 'must have 1 to'],
    [
      'no JSON',
      '"a"\n{bad\n"c"',
      400,
      'malformed-json',
      undefined,
      'Line 2 is not JSON (at position 1 line 1 column 2).',
    ],
    ['JSON of two lines', '"a"\n["b",\n"c"]', 400, 'malformed-json', undefined, 'Line 2 is not JSON.'],
    ['two on a line', '"a" "b"', 400, 'malformed-json', undefined, 'Line 1 is not JSON'],
    ['a key like __proto__', '"a"\n\n{"__proto__": {"x": 1}}', 400, 'malformed-json', undefined, 'Line 3 has a key'],
    [
      'deep JSON',
      `"a"\n${'['.repeat(200)}${']'.repeat(200)}`,
      422,
      'invalid-request',
      '/lines/2',
      'Line 2 nests deeper',
    ],
    ['two that do not fit', '"a"\n\n5\n"b"\n{}', 422, 'invalid-task', '/lines/3', '/lines/5'],
    ['what a JSON body has', '{"tasks": ["a"]}', 422, 'invalid-task', '/lines/1', 'string'],
  ])(
    'with %s are refused as a whole, with the number of the line',
    async (_what, body, status, code, pointer, detail) => {
      const { send, runCount } = await open()
      const answer = await send(body)
      expect(answer).toMatchObject({ status, body: { code, detail: expect.stringContaining(detail) } })
      expect(answer.body.errors?.[0]?.pointer).toBe(pointer)
      expect(await runCount()).toBe(0)
    },
  )

  test('point into their lines', async () => {
    const { send } = await open()
    const { body } = await send('{"label":"a"}\n{"label":"b","children":[{"label":1}]}', '', jsonl, 'count-nodes')
    expect(body.errors).toMatchObject([{ pointer: '/lines/2/children/0/label' }])
  })

  test.each([
    ['priority=x', '/query/priority'],
    ['priority=1001', '/query/priority'],
    ['priority=1.5', '/query/priority'],
    ['timeout_ms=0', '/query/timeout_ms'],
    ['timeout_ms=60001', '/query/timeout_ms'],
    ['run_budget_usd=0', '/query/run_budget_usd'],
    ['run_budget_usd=-1', '/query/run_budget_usd'],
    ['run_budget_usd=1e9', '/query/run_budget_usd'],
    ['run_at=tomorrow', '/query/run_at'],
    ['webhook=ftp://x', '/query/webhook'],
    ['webhook=https://example.org/', '/query/webhook'],
    ['budget_usd=1', '/query/budget_usd'],
    ['metadata={}', '/query/metadata'],
    ['__proto__=1', '/query/__proto__'],
    ['tag.a%20b=1', '/query/tag.a b'],
    ['config=a&config=b', '/query/config'],
  ])('are refused with ?%s', async (query, pointer) => {
    const { send, runCount } = await open()
    const { status, body } = await send('"a"', `?${query}`)
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid-parameter', pointer])
    expect(await runCount()).toBe(0)
  })

  test('are what the query is for: beside a JSON body it would be passed over, and is refused', async () => {
    const { send } = await open()
    const { status, body } = await send('{"tasks":["a"]}', '?priority=5', json)
    expect([status, body.errors[0].pointer]).toEqual([400, '/query/priority'])
  })

  test('are not taken by other routes', async () => {
    const { service } = await open()
    for (const below of ['', '/batch', '/batch/stream', '/stream', '/runs']) {
      const url = `/tactics/shout${below}`
      const headers = { 'content-type': jsonl }
      const answer = await service.server.inject({ method: 'POST', url, payload: '"a"', headers })
      expect([below, answer.statusCode]).toEqual([below, 415])
    }
  })

  test('have a limit of bytes, and no content encoding', async () => {
    const { service, send } = await open({ settings: { bodyLimitBytes: 1_024 } })
    expect((await send('"a"\n'.repeat(300))).status).toBe(413)
    const headers = { 'content-type': jsonl, 'content-encoding': 'gzip' }
    const request = { method: 'POST', url: '/tactics/shout/batches', payload: '"a"', headers } as const
    expect((await service.server.inject(request)).statusCode).toBe(415)
  })
})

describe('a batch of which one task does not fit', () => {
  test('is refused as a whole', async () => {
    const { post, runCount } = await open()
    const { status, body } = await post('/tactics/shout/batches', { tasks: ['a', 5, 'c', null] })
    expect([status, body.code]).toEqual([422, 'invalid-task'])
    expect(body['errors']).toMatchObject([{ pointer: '/tasks/1' }, { pointer: '/tasks/3' }])
    expect(await runCount()).toBe(0)
  })
})

describe('the results of a batch', () => {
  const task = 'x'.repeat(20_000)
  const tasks = 700

  /** A batch whose results have 28 MB, more than what the kernel takes on both ends of a connection. */
  async function openLarge() {
    const opened = await open({ settings: { bodyLimitBytes: 20_000_000 } })
    const { runs } = opened.service.app
    const { body } = await opened.post('/tactics/shout/batches', { tasks: ['a'], run_at: farAway })
    const run = await runs.get((await opened.results(body.id))[0].run_id)
    const seen = { read: 0, isOver: false }
    vi.spyOn(runs, 'batchRuns').mockImplementation(async function* () {
      try {
        for (let batchIndex = 0; batchIndex < tasks; batchIndex++) {
          seen.read += 1
          yield { ...run, batchIndex, outcome: { ok: true, result: task.repeat(2) } }
        }
      } finally {
        seen.isOver = true
      }
    })
    return { ...opened, id: body.id, seen }
  }

  test('are read from the store no faster than their reader reads', async () => {
    const { service, id, seen } = await openLarge()
    const socket = await getAndPause(await listen(service), `/batches/${id}/results`)
    let last = -1
    await vi.waitFor(
      () => {
        const before = last
        last = seen.read
        expect(last).toBe(before)
      },
      { interval: 50, timeout: 10_000 },
    )
    expect(seen.read).toBeLessThan(tasks)
    socket.destroy()
    const stoppedAt = seen.read
    await vi.waitFor(() => expect(seen.isOver).toBe(true))
    expect(seen.read).toBeLessThanOrEqual(stoppedAt + 1)
  })

  test('break off when the store fails, so that nobody takes a part for the whole', async () => {
    const { service, id } = await openLarge()
    const { runs } = service.app
    const run = await runs.get((await runs.list({}, 1)).data[0]?.id ?? '')
    vi.spyOn(runs, 'batchRuns').mockImplementation(async function* () {
      yield { ...run, batchIndex: 0 }
      throw new LllmError('store-unavailable', 'It does not answer.')
    })
    const response = await fetch(`${await listen(service)}/batches/${id}/results`)
    await expect(response.text()).rejects.toThrow()
    expect(service.logLines.some(({ msg }) => String(msg).includes('broke off'))).toBe(true)
  })
})
