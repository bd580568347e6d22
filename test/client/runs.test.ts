import { createClient, LllmFault, LllmProblem } from 'lllm/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { farAway, hold } from '../http/run-client.ts'
import { type Broken, type CountNodes, listen, openService, type Shout } from '../http/service.ts'
import { json, openFaulty } from './faulty-service.ts'

/** A client of a real service on a real socket, whose model says the last message louder. */
async function openClient() {
  const service = await openService({ judgeWebhook: () => undefined })
  const client = createClient({ url: await listen(service) })
  return { service, client, shout: client.tactic<typeof Shout>('shout') }
}

async function problemOf(promise: Promise<unknown>): Promise<LllmProblem> {
  const error = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(LllmProblem)
  return error as LllmProblem
}

describe('a run', () => {
  test('is submitted, waited for, and has the types of its tactic', async () => {
    const { client } = await openClient()
    const run = await client.tactic<typeof CountNodes>('count-nodes').run({ label: 'a' })
    const ended = await run.wait()
    expect(ended).toMatchObject({ id: run.id, state: 'success', error: null })
    if (ended.state === 'success') expect([ended.result.count, ended.result.label]).toEqual([1, 'A'])
    expect((await client.sessions.get(ended.session_id)).state).toBe('success')
  })

  test('takes its options along', async () => {
    const { client, shout } = await openClient()
    const run = await shout.run('hello', {
      config: 'default',
      tags: { team: 'bees' },
      metadata: { row: 7 },
      timeoutMs: 5_000,
      budgetUsd: 0.5,
      limits: { llmCalls: 3 },
      priority: 9,
      runAt: new Date(farAway),
      webhook: { url: 'https://example.org/' },
    })
    expect(await client.runs.handle(run.id).get()).toMatchObject({
      state: 'queued',
      tags: { team: 'bees' },
      metadata: { row: 7 },
      timeout_ms: 5_000,
      budget_usd: 0.5,
      limits: { llm_calls: 3 },
      priority: 9,
      run_at: farAway,
      webhook: { url: 'https://example.org/' },
    })
  })

  test('may take longer than a request of the client', async () => {
    const { service } = await openClient()
    const impatient = createClient({ url: service.server.listeningOrigin, timeoutMs: 1 }).tactic<typeof Shout>('shout')
    const run = await impatient.run('hello', { runAt: farAway })
    expect(await run.get({ timeoutMs: 5_000 })).toMatchObject({ timeout_ms: 60_000 })
  })

  test('that has a key is submitted once', async () => {
    const { client, shout } = await openClient()
    const ids = await Promise.all(
      [1, 2].map(async () => (await shout.run('hello', { idempotencyKey: 'k', runAt: farAway })).id),
    )
    expect(ids[0]).toBe(ids[1])
    expect((await client.runs.list()).data).toHaveLength(1)
  })

  test('that fails is no rejection of the wait', async () => {
    const { client } = await openClient()
    const ended = await (await client.tactic<typeof Broken>('broken').run('hello')).wait()
    expect(ended).toMatchObject({ state: 'failure', result: null, error: { code: 'tactic-failed' } })
  })

  test('is cancelled, resumed and deleted', async () => {
    const { client, shout } = await openClient()
    const run = await shout.run('hello', { runAt: farAway })
    expect((await problemOf(run.delete())).code).toBe('run-conflict')
    expect(await run.cancel({ reason: 'not now' })).toMatchObject({ state: 'cancelled', cancel_reason: 'not now' })
    await run.resume()
    expect(await run.wait()).toMatchObject({ state: 'success', result: 'HELLO' })
    await run.delete()
    expect((await problemOf(client.runs.handle(run.id).get())).code).toBe('unknown-run')
  })

  test('is refused as a call is', async () => {
    const { shout } = await openClient()
    expect(await problemOf(shout.run(7 as never))).toMatchObject({
      code: 'invalid-task',
      errors: [{ pointer: '/task' }],
    })
  })
})

describe('a wait', () => {
  test('ends by itself, and by its signal, and changes nothing for the run', async () => {
    const { shout } = await openClient()
    const run = await shout.run('hello', { runAt: farAway })
    await expect(run.wait({ timeoutMs: 30 })).rejects.toMatchObject({ kind: 'timeout' })
    await expect(run.wait({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(await run.get()).toMatchObject({ state: 'queued' })
  })

  test('outlasts a service that is away for a moment', async () => {
    const record = { id: 'x', result: 'HELLO', error: null, cost: {} }
    const away = { type: '', title: 'Draining', status: 503, detail: 'Later.', code: 'draining', request_id: 'r' }
    let asked = 0
    const { url } = await openFaulty((reply) => {
      asked += 1
      if (asked === 1) reply.destroy()
      else if (asked === 2) json(away, 503)(reply)
      else if (asked === 3) reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')
      else json({ ...record, state: 'success' })(reply)
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    try {
      const waiting = createClient({ url }).runs.handle('x').wait()
      while (asked < 4) {
        await vi.advanceTimersByTimeAsync(1_000)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(await waiting).toMatchObject({ state: 'success' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('does not outlast what does not pass by itself', async () => {
    const { client } = await openClient()
    expect((await problemOf(client.runs.handle('none').wait())).code).toBe('unknown-run')
    const { url, received } = await openFaulty(json({ no: 'run' }))
    await expect(createClient({ url }).runs.handle('x').wait()).rejects.toThrow(LllmFault)
    expect(received).toHaveLength(1)
  })
})

describe('the events of a run', () => {
  test('are told to the end, with what it came to', async () => {
    const { client, shout } = await openClient()
    const run = await shout.run('hello')
    const events = await Array.fromAsync(run.events())
    expect(events.map(({ type }) => type)).toEqual(['session.started', 'agent.started', 'agent.completed', 'result'])
    expect(events.at(-1)).toMatchObject({ type: 'result', result: 'HELLO', session_id: run.id, cost_usd: 0.000003 })
    const failed = await client.tactic('broken').run('hello')
    expect((await Array.fromAsync(failed.events())).at(-1)).toMatchObject({
      type: 'error',
      problem: { code: 'tactic-failed', session_id: failed.id },
    })
  })

  test('go on after the last one that was read, or have come to their end', async () => {
    const { shout } = await openClient()
    const run = await shout.run('hello')
    const all = await Array.fromAsync(run.events())
    expect(await Array.fromAsync(run.events({ after: all[1]?.id ?? 0 }))).toEqual(all.slice(2))
    expect(await Array.fromAsync(run.events({ after: all.at(-1)?.id ?? 0 }))).toEqual([])
  })

  test('may be left, which changes nothing for the run', async () => {
    const { service, shout } = await openClient()
    const { open } = hold(service.model)
    const run = await shout.run('hello')
    for await (const { type } of run.events()) if (type === 'agent.started') break
    open()
    expect(await run.wait()).toMatchObject({ state: 'success' })
  })

  test('are read on where they broke off, however that came, and none twice', async () => {
    const told = (id: number, name: string, data: object) =>
      `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    const progress = (id: number) => told(id, 'progress', { session_id: 's', path: ['x'], data: id })
    const rest = told(9, 'result', { result: 'HI', session_id: 's', cost_usd: 0 }) + told(10, 'end', { end: true })
    const parts = [
      `${progress(2)}id: 4\nevent: progr`,
      '',
      progress(4) + told(5, 'news.of.tomorrow', {}),
      progress(7) + rest,
    ]
    const { url, received } = await openFaulty((reply) => {
      const index = received.length - 1
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.write(parts[index] ?? '', () => (index === 0 ? reply.destroy() : reply.end()))
    })
    const seen: number[] = []
    for await (const event of createClient({ url }).runs.handle('x').events()) seen.push(event.id)
    expect(seen).toEqual([2, 4, 7, 9])
    expect(received.map((asked) => asked.url)).toEqual([0, 2, 2, 5].map((id) => `/runs/x/events?after=${id}`))
  })

  test('are given up when the service stays away, and end with their signal', async () => {
    const { url } = await openFaulty(
      (reply) => void reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    )
    const leaving = new AbortController()
    const run = createClient({ url }).runs.handle('x')
    const reading = run.events({ signal: leaving.signal }).next()
    leaving.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')

    let nowMs = 0
    onTestFinished(() => void vi.restoreAllMocks())
    vi.spyOn(Date, 'now').mockImplementation(() => (nowMs += 61_000))
    await expect(run.events().next()).rejects.toMatchObject({ kind: 'network' })
  })

  test('are no more told to a key that holds no more, which is no end of the run', async () => {
    const problem = {
      type: '/docs/errors/unauthenticated',
      title: 'Unauthenticated',
      status: 401,
      detail: 'The key was revoked.',
      code: 'unauthenticated',
      request_id: 'r',
      retryable: false,
    }
    const { url, received } = await openFaulty(
      (reply) => void reply.end(`event: error\ndata: ${JSON.stringify(problem)}\n\nevent: end\ndata: {"end":true}\n\n`),
    )
    const reading = createClient({ url }).runs.handle('x').events().next()
    await expect(reading).rejects.toMatchObject({ name: 'LllmProblem', code: 'unauthenticated', status: 401 })
    expect(received).toHaveLength(1)
  })

  test('of which the service tells no more than it may are changed all the same', async () => {
    const { url } = await openFaulty((reply) => void reply.end('{"id":"x","state":"cancelled"}'))
    expect(await createClient({ url }).runs.handle('x').cancel()).toEqual({ id: 'x', state: 'cancelled' })
  })

  test('without a number, or with nonsense, are a fault', async () => {
    for (const text of [
      'event: progress\ndata: {"session_id":"s"}\n\n',
      'id: 1\nevent: error\ndata: {}\n\n',
      'id: 1\ndata: <\n\n',
    ]) {
      const { url, received } = await openFaulty((reply) => void reply.end(text))
      await expect(createClient({ url }).runs.handle('x').events().next()).rejects.toMatchObject({ kind: 'protocol' })
      expect(received).toHaveLength(1)
    }
  })
})

describe('a batch of runs', () => {
  test('is submitted, waited for, and gives its results in the order of the tasks', async () => {
    const { client, shout } = await openClient()
    const batch = await shout.runBatch(['one', 'two'], { runBudgetUsd: 1, tags: { team: 'bees' } })
    expect(await batch.wait()).toMatchObject({ id: batch.id, counts: { success: 2 }, tags: { team: 'bees' } })
    const results = await Array.fromAsync(batch.results())
    expect(results.map((run) => run.status === 'success' && run.result)).toEqual(['ONE', 'TWO'])
    expect(await client.batches.handle(batch.id).get()).toMatchObject({ cost_usd: 0.000006 })
    const [item] = await Array.fromAsync(client.runs.all({ batch: batch.id, limit: 1 }))
    expect(await client.runs.handle(item?.id ?? '').get()).toMatchObject({ budget_usd: 1, batch_id: batch.id })
  })

  test('is cancelled as a whole', async () => {
    const { shout } = await openClient()
    const batch = await shout.runBatch(['one', 'two'], { runAt: farAway })
    expect(await batch.cancel({ reason: 'no' })).toMatchObject({ counts: { cancelled: 2 } })
    expect(await Array.fromAsync(batch.results())).toMatchObject([
      { index: 0, status: 'cancelled', error: { code: 'cancelled' } },
      { index: 1, status: 'cancelled' },
    ])
  })

  test('whose results break off is a fault', async () => {
    const { url } = await openFaulty((reply) => {
      reply.writeHead(200, { 'content-type': 'application/jsonl' })
      reply.write('{"index":0,"run_id":"x","status":"queued","cost_usd":0}\n', () => reply.destroy())
    })
    const results = createClient({ url }).batches.handle('x').results()
    await expect(Array.fromAsync(results)).rejects.toThrow(LllmFault)
  })
})

describe('lists', () => {
  test('of runs and batches are narrowed, and followed to their end', async () => {
    const { client, shout } = await openClient()
    for (const team of ['a', 'b', 'a']) await shout.run('hello', { runAt: farAway, tags: { team } })
    await shout.runBatch(['one'], { runAt: farAway })
    await shout.runBatch(['one'], { runAt: farAway })
    expect(await client.runs.list({ limit: 2 })).toMatchObject({ data: [{}, {}], next_cursor: expect.any(String) })
    const found = await Array.fromAsync(
      client.runs.all({ tactic: 'shout', state: 'queued', tags: { team: 'a' }, limit: 1 }),
    )
    expect(found.map(({ tags }) => tags)).toEqual([{ team: 'a' }, { team: 'a' }])
    expect(await Array.fromAsync(client.batches.all({ limit: 1 }))).toHaveLength(2)
    expect((await client.batches.list({ limit: 1 })).data).toHaveLength(1)
  })
})
