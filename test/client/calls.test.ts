import { createClient, LllmFault, LllmProblem, type SessionItem } from 'lllm/client'
import { describe, expect, test, vi } from 'vitest'
import { type Broken, type CountNodes, listen, never, openService, type Shout } from '../http/service.ts'
import { json, openFaulty } from './faulty-service.ts'

/** A client of a real service on a real socket, whose model says the last message louder. */
async function openClient(...sketch: Parameters<typeof openService>) {
  const service = await openService(...sketch)
  const client = createClient({ url: await listen(service) })
  return { service, client, shout: client.tactic<typeof Shout>('shout') }
}

async function failureOf(promise: Promise<unknown>): Promise<LllmProblem> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LllmProblem)
  return error as LllmProblem
}

describe('a call', () => {
  test('answers as the service does', async () => {
    const { shout } = await openClient()
    expect(await shout.call('hello')).toEqual({
      result: 'HELLO',
      session_id: expect.any(String),
      cost_usd: 0.000003,
    })
  })

  test('has the types of its tactic, also where they are objects', async () => {
    const { client } = await openClient()
    const { result } = await client
      .tactic<typeof CountNodes>('count-nodes')
      .call({ label: 'root', children: [{ label: 'leaf' }] })
    expect([result.count, result.label]).toEqual([2, 'ROOT'])
  })

  test('is reached by package::name as well', async () => {
    const { client } = await openClient()
    expect((await client.tactic('demo::shout').call('hello')).result).toBe('HELLO')
  })

  test('brings its whole session along', async () => {
    const { shout } = await openClient()
    const { session, session_id } = await shout.session('hello', { tags: { team: 'bees' }, metadata: { row: 7 } })
    expect(session).toMatchObject({ id: session_id, task: 'hello', tags: { team: 'bees' }, metadata: { row: 7 } })
  })

  test('that has a key is done once, however often it is sent', async () => {
    const { shout, service } = await openClient()
    const options = { idempotencyKey: 'a"b\\c' }
    const first = await shout.call('hello', options)
    expect(await shout.call('hello', options)).toEqual(first)
    const batch = await shout.batch(['a', 'b'], { idempotencyKey: 'batch' })
    expect(await shout.batch(['a', 'b'], { idempotencyKey: 'batch' })).toEqual(batch)
    expect(service.model.callCount).toBe(3)
    expect(await failureOf(shout.call('hallo', options))).toMatchObject({ code: 'idempotency-mismatch' })
    await expect(shout.call('hello', { idempotencyKey: 'a b' })).rejects.toThrow(TypeError)
  })

  test('passes its options on', async () => {
    const service = await openFaulty(json({ result: 1, session_id: 'x', cost_usd: 0 }))
    const client = createClient({ url: `${service.url}/ai/`, headers: { authorization: 'Bearer x' }, timeoutMs: 9_000 })
    await client.tactic('a::b').call('task', {
      config: 'pro',
      budgetUsd: 0.5,
      limits: { tokens: 10, llmCalls: 2, depth: 0 },
    })
    await client
      .tactic('b')
      .batch(['task'], { maxWorkers: 2, failFast: true, returnSessions: 'summary', timeoutMs: 5 })
      .catch(() => {})
    expect(service.received).toMatchObject([
      { method: 'POST', url: '/ai/tactics/a%3A%3Ab', headers: { authorization: 'Bearer x' } },
      { url: '/ai/tactics/b/batch' },
    ])
    expect(service.received.map(({ body }) => JSON.parse(body))).toEqual([
      {
        task: 'task',
        config: 'pro',
        timeout_ms: 9_000,
        budget_usd: 0.5,
        limits: { tokens: 10, llm_calls: 2, depth: 0 },
      },
      { tasks: ['task'], timeout_ms: 5, max_workers: 2, fail_fast: true, return_sessions: 'summary' },
    ])
  })

  test('closes its socket when its signal aborts, by which it is cancelled', async () => {
    const { service, client, shout } = await openClient()
    const leaving = new AbortController()
    service.model.answer = (_request, signal) => {
      leaving.abort(new Error('enough'))
      return never(signal)
    }
    await expect(shout.call('hello', { signal: leaving.signal })).rejects.toThrow('enough')
    await vi.waitFor(async () => expect((await client.sessions.list()).data).toMatchObject([{ state: 'cancelled' }]))
    await expect(shout.call('hello', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect(service.model.callCount).toBe(1)
  })

  test('whose time is up is a problem with its session and cost', async () => {
    const { service, shout } = await openClient()
    service.model.answer = (_request, signal) => never(signal)
    const problem = await failureOf(shout.call('hello', { timeoutMs: 30 }))
    expect(problem).toMatchObject({ code: 'deadline-exceeded', status: 504, retryable: true, costUsd: null })
    expect(problem.sessionId).toEqual(expect.any(String))
  })
})

describe('a problem', () => {
  test('says where a task does not fit', async () => {
    const { client } = await openClient()
    const problem = await failureOf(client.tactic('count-nodes').call({ label: 7 }))
    expect(problem).toMatchObject({
      name: 'LllmProblem',
      code: 'invalid-task',
      title: 'Invalid task',
      status: 422,
      retryable: false,
      requestId: expect.any(String),
      sessionId: undefined,
      errors: [{ pointer: '/task/label', message: expect.any(String) }],
    })
    expect(problem.message).toBe(problem.detail)
  })

  test('of a call that had begun has its session and cost, and nothing of an exception', async () => {
    const { client } = await openClient()
    const problem = await failureOf(client.tactic<typeof Broken>('broken').call('hello'))
    expect(problem).toMatchObject({ code: 'tactic-failed', costUsd: 0.000003 })
    expect(JSON.stringify({ ...problem, message: problem.message })).not.toContain('hunter2')
    const session = await client.sessions.get(problem.sessionId ?? '')
    expect(session).toMatchObject({ state: 'failure', cost: { cost_usd: problem.costUsd } })
  })

  test('says when to come back', async () => {
    const { service, shout, client } = await openClient()
    await service.app.store.close()
    const problem = {
      type: '',
      title: 'Overloaded',
      status: 503,
      detail: 'Later.',
      code: 'overloaded',
      request_id: 'r',
    }
    const busy = await openFaulty(json(problem, 503, { 'retry-after': '7' }))
    const busyClient = createClient({ url: busy.url })
    expect(await failureOf(busyClient.tactic('shout').call('hello'))).toMatchObject({ retryAfterMs: 7_000 })
    expect(busy.received).toHaveLength(1)
    expect(await failureOf(client.tactic('nobody').call('hello'))).toMatchObject({ code: 'unknown-tactic' })
    expect(shout).toBeDefined()
  })
})

describe('a batch', () => {
  test('has its items in the order of the tasks, failures among them', async () => {
    const { service, shout } = await openClient()
    service.model.answer = async ({ messages }) => {
      const text = String(messages.at(-1)?.content)
      if (text === 'bad') throw new Error('no')
      return text.toUpperCase()
    }
    const { items, counts } = await shout.batch(['one', 'bad', 'three'], { returnSessions: true })
    expect(items.map((item) => (item.status === 'success' ? item.result : item.error.code))).toEqual([
      'ONE',
      'tactic-failed',
      'THREE',
    ])
    expect(counts).toMatchObject({ success: 2, failure: 1 })
    expect(items[0]?.session).toMatchObject({ task: 'one' })
  })

  test('gives its items as they come, and then its sums', async () => {
    const { shout } = await openClient()
    const stream = shout.batchStream(['one', 'two', 'three'], { maxWorkers: 3 })
    const results: unknown[] = []
    for await (const item of stream) results.push(item.status === 'success' && item.result)
    expect(results.sort()).toEqual(['ONE', 'THREE', 'TWO'])
    expect(await stream.sums).toMatchObject({ counts: { success: 3 }, cost_usd: 0.000009 })
  })

  test('is cancelled by whoever leaves it', async () => {
    const { service, client, shout } = await openClient()
    let calls = 0
    service.model.answer = (_request, signal) => (++calls === 1 ? Promise.resolve('first') : never(signal))
    for await (const item of shout.batchStream(['one', 'two', 'three'], { maxWorkers: 1 })) {
      expect(item).toMatchObject({ index: 0, status: 'success' })
      break
    }
    await vi.waitFor(async () => {
      const { data } = await client.sessions.list()
      expect(data.map(({ state }) => state).sort()).toEqual(['cancelled', 'success'])
    })
  })

  test('refused as a whole is a problem', async () => {
    const { shout } = await openClient()
    const stream = shout.batchStream(['one', 2 as never])
    const problem = await failureOf(stream.sums)
    expect(problem).toMatchObject({ code: 'invalid-task', errors: [{ pointer: '/tasks/1' }] })
  })
})

describe('looking back', () => {
  async function withSessions(count: number) {
    const opened = await openClient()
    for (let index = 0; index < count; index++) {
      await opened.shout.call(`task ${index}`, { tags: { parity: index % 2 === 0 ? 'even' : 'odd' } })
    }
    return opened
  }

  test('lists pages, and follows them to the end', async () => {
    const { client } = await withSessions(5)
    const page = await client.sessions.list({ limit: 2 })
    expect(page).toMatchObject({ data: [{ tactic: 'shout' }, {}], next_cursor: expect.any(String) })
    const all: SessionItem[] = await Array.fromAsync(client.sessions.all({ limit: 2 }))
    expect(new Set(all.map(({ id }) => id)).size).toBe(5)
    const odd = await Array.fromAsync(client.sessions.all({ limit: 1, tags: { parity: 'odd' }, tactic: 'shout' }))
    expect(odd.map(({ tags }) => tags)).toEqual([{ parity: 'odd' }, { parity: 'odd' }])
    expect(await Array.fromAsync(client.sessions.all({ startedAfter: new Date(Date.now() + 60_000) }))).toEqual([])
  })

  test('does not follow pages for ever, be they the same or empty', async () => {
    const same = await openFaulty(json({ data: [{}], next_cursor: 'again' }))
    await expect(Array.fromAsync(createClient({ url: same.url }).sessions.all())).rejects.toThrow(LllmFault)
    const empty = await openFaulty((reply) => json({ data: [], next_cursor: `page ${empty.received.length}` })(reply))
    await expect(Array.fromAsync(createClient({ url: empty.url }).sessions.all())).rejects.toThrow(LllmFault)
    expect([same, empty].map(({ received }) => received.length)).toEqual([2, 1])
  })

  test('shows and deletes a session, and tells what it cost', async () => {
    const { client } = await withSessions(1)
    const [{ id } = { id: '' }] = (await client.sessions.list()).data
    expect(await client.sessions.get(id)).toMatchObject({ id, sub_sessions: [] })
    expect(await client.sessions.cost(id)).toMatchObject({ total: { llm_calls: 1 }, lines: [{ agent: 'shouter' }] })
    await client.sessions.delete(id)
    expect(await failureOf(client.sessions.get(id))).toMatchObject({ code: 'unknown-session' })
  })

  test('sums up costs in groups', async () => {
    const { client } = await withSessions(3)
    const { data, total } = await client.costs({ groupBy: ['tag.parity'], state: 'success' })
    expect(data.map((row) => [row['tag.parity'], row.sessions])).toEqual([
      ['even', 2],
      ['odd', 1],
    ])
    expect(total).toMatchObject({ sessions: 3, llm_calls: 3 })
    const byId = await client.costs({ groupBy: ['tactic_id', 'agent'] })
    expect(byId.data.map((row) => [row.tactic_id, row.agent])).toEqual([[expect.stringMatching(/::shout$/), 'shouter']])
  })

  test('tells of the service and its tactics', async () => {
    const { client } = await openClient()
    expect((await client.info()).name).toBe('lllm')
    expect((await client.tactics()).map(({ name }) => name)).toEqual(['broken', 'count-nodes', 'shout'])
  })
})
