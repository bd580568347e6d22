import { describe, expect, test, vi } from 'vitest'
import type { BatchItem, Engine } from '../../src/engine/engine.ts'
import { listen, never, openService, type TestService } from './service.ts'
import { linesOf, post, postAndPause } from './stream-client.ts'

type Line = Readonly<Record<string, unknown>>

async function readLines(response: Response): Promise<readonly Line[]> {
  const lines = await Array.fromAsync(linesOf(response))
  return lines.map((line) => JSON.parse(line))
}

async function streamBatch(service: TestService, payload: object) {
  return post(`${await listen(service)}/tactics/shout/batch/stream`, payload)
}

test('a batch tells each task as it completes, and at last what it comes to', async () => {
  const service = await openService()
  const { promise: secondIsDone, resolve: release } = Promise.withResolvers<void>()
  service.model.answer = async ({ messages }) => {
    const task = String(messages.at(-1)?.content)
    if (task === 'first') await secondIsDone
    return task.toUpperCase()
  }
  const response = await streamBatch(service, { tasks: ['first', 'second'], max_workers: 2 })
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  const seen: Line[] = []
  for await (const line of linesOf(response)) {
    seen.push(JSON.parse(line))
    release()
  }
  expect(seen).toEqual([
    { index: 1, status: 'success', result: 'SECOND', session_id: expect.any(String), cost_usd: 0.000003 },
    { index: 0, status: 'success', result: 'FIRST', session_id: expect.any(String), cost_usd: 0.000003 },
    { end: true, counts: { success: 2, failure: 0, cancelled: 0, skipped: 0 }, cost_usd: 0.000006 },
  ])
})

test('its items are those that the batch without a stream would have answered', async () => {
  const service = await openService()
  service.model.simulated = true
  const payload = { tasks: ['a', 'b', 'c'], max_workers: 1, return_sessions: 'summary', tags: { team: 'x' } }
  const response = await streamBatch(service, payload)
  expect(response.headers.get('lllm-simulated')).toBe('true')
  const lines = await readLines(response)
  const plain = (await service.server.inject({ method: 'POST', url: '/tactics/shout/batch', payload })).json()
  const comparable = (items: readonly Line[]) => items.map(({ index, status, result }) => ({ index, status, result }))
  expect(comparable(lines.slice(0, -1))).toEqual(comparable(plain.items))
  expect(Object.keys(lines[0] ?? {})).toEqual(Object.keys(plain.items[0]))
  expect(lines.at(-1)).toEqual({ end: true, counts: plain.counts, cost_usd: plain.cost_usd })
})

test.each(['batch', 'batch/stream'])('the log has the exception of each task that threw one (%s)', async (route) => {
  const { server, logLines } = await openService()
  await server.inject({ method: 'POST', url: `/tactics/broken/${route}`, payload: { tasks: ['a', 'b'] } })
  const faults = logLines.filter(({ msg }) => msg === 'request failed')
  expect(faults).toHaveLength(2)
  expect(JSON.stringify(faults)).toContain('hunter2')
})

describe('what is wrong is told before the stream begins:', () => {
  test('a task that does not fit refuses all of them', async () => {
    const service = await openService()
    const response = await streamBatch(service, { tasks: ['a', 1] })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ code: 'invalid-task', errors: [{ pointer: '/tasks/1' }] })
    expect(service.model.callCount).toBe(0)
  })

  test('a client that takes no lines of JSON', async () => {
    const { server } = await openService()
    const request = { method: 'POST', url: '/tactics/shout/batch/stream', payload: { tasks: ['a'] } } as const
    const statusFor = async (accept: string) => (await server.inject({ ...request, headers: { accept } })).statusCode
    expect(await statusFor('text/event-stream')).toBe(406)
    expect(await statusFor('application/x-ndjson')).toBe(200)
  })
})

describe('the last line comes also when', () => {
  test('the time is up: it counts what was cancelled and what was never started', async () => {
    const service = await openService()
    service.model.answer = (_request, signal) => never(signal)
    const lines = await readLines(
      await streamBatch(service, { tasks: ['a', 'b', 'c'], max_workers: 1, timeout_ms: 50 }),
    )
    expect(lines).toMatchObject([
      { index: 0, status: 'cancelled', error: { code: 'deadline-exceeded' } },
      { index: 1, status: 'skipped' },
      { index: 2, status: 'skipped' },
      { end: true, counts: { success: 0, failure: 0, cancelled: 1, skipped: 2 } },
    ])
  })

  test('the service stops', async () => {
    const service = await openService()
    service.model.answer = (_request, signal) => never(signal)
    const response = await streamBatch(service, { tasks: ['a', 'b'], max_workers: 1 })
    await service.server.close()
    expect(await readLines(response)).toMatchObject([
      { index: 0, status: 'cancelled', error: { code: 'draining' } },
      { index: 1, status: 'skipped' },
      { end: true, counts: { cancelled: 1, skipped: 1 } },
    ])
  })

  test('the engine itself fails', async () => {
    const failing = (real: Engine): Engine => ({
      ...real,
      async *batch(calls, options) {
        for await (const item of real.batch(calls, options)) {
          yield item
          throw new Error('a bug')
        }
      },
    })
    const service = await openService({ engine: failing })
    const lines = await readLines(await streamBatch(service, { tasks: ['a', 'b'], max_workers: 1 }))
    expect(lines).toMatchObject([
      { index: 0, status: 'success' },
      { end: true, counts: { success: 1 }, error: { code: 'internal-error', status: 500 } },
    ])
  })
})

/** An engine whose items are large, and which tells how many of them were taken from it. */
function largeItems() {
  const seen = { taken: 0, left: false }
  const engine = (real: Engine): Engine => ({
    ...real,
    async *batch(calls, { signal } = {}) {
      const [first] = calls
      if (first === undefined) return
      const outcome = await real.execute({ ...first, input: 'x'.repeat(10_000) })
      try {
        for (let index = 0; index < 10_000 && !signal?.aborted; index++) {
          seen.taken += 1
          yield { index, outcome } satisfies BatchItem
        }
      } finally {
        seen.left = true
      }
    },
  })
  /** Resolves once no item has been taken since the last look. */
  const stalled = () => {
    let lastTaken = -1
    const look = () => {
      const before = lastTaken
      lastTaken = seen.taken
      expect(seen.taken).toBe(before)
    }
    return vi.waitFor(look, { interval: 50, timeout: 10_000 })
  }
  return { seen, engine, stalled }
}

test('a reader who stops reading holds the batch up, and one who leaves ends it', async () => {
  const { seen, engine, stalled } = largeItems()
  const service = await openService({ engine })
  const socket = await postAndPause(await listen(service), '/tactics/shout/batch/stream', { tasks: ['a'] })
  await stalled()
  // What the kernel may take on both ends of the connection is far less than the 100 MB that there are.
  expect(seen).toMatchObject({ left: false })
  expect(seen.taken).toBeLessThan(2_000)
  socket.destroy()
  await vi.waitFor(() => expect(seen.left).toBe(true))
  await vi.waitFor(() => expect(service.logLines.at(-1)).toMatchObject({ status: 499 }))
})
