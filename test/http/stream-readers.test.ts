import type { Socket } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import type { Emit } from '../../src/domain/event.ts'
import { defaultTenant } from '../../src/domain/tenant.ts'
import { listen, openService, type TestService } from './service.ts'
import { delta, heldWorld, postAndPause, producing } from './stream-client.ts'

const pieceBytes = 10_000
const piece = delta('x'.repeat(pieceBytes))
/** What the kernel may take on both ends of a connection, beside the 64 KiB of the service. */
const onTheWayBytes = 16_000_000

/** A model that has 100 MB to say, to each of its callers. */
function talkative(wantedBytes = 100_000_000) {
  const seen = { emittedBytes: 0, ended: 0, waiting: 0 }
  const produce = async (emit: Emit, signal: AbortSignal) => {
    for (let bytes = 0; bytes < wantedBytes && !signal.aborted; bytes += pieceBytes) {
      seen.waiting += 1
      await emit(piece)
      seen.waiting -= 1
      seen.emittedBytes += pieceBytes
    }
    seen.ended += 1
  }
  /** Resolves once all producers wait and nothing more has been emitted since the last look. */
  const stalled = (count: number) => {
    let lastBytes = -1
    const look = () => {
      const beforeBytes = lastBytes
      lastBytes = seen.emittedBytes
      expect(seen).toMatchObject({ emittedBytes: beforeBytes, waiting: count })
    }
    return vi.waitFor(look, { interval: 20, timeout: 15_000 })
  }
  return { seen, engine: producing(produce), stalled }
}

/** What a service holds on to for its calls. */
function held({ server }: TestService) {
  return server.lllm.shutdown.callsUnderWay
}

function connectionCount({ server }: TestService): Promise<number> {
  return new Promise((resolve) => server.server.getConnections((_error, count) => resolve(count)))
}

async function readAll(socket: Socket): Promise<{ readonly bytes: number; readonly tail: string }> {
  let [bytes, tail] = [0, '']
  for await (const chunk of socket) {
    bytes += chunk.length
    tail = (tail + chunk).slice(-2_000)
    if (tail.endsWith('0\r\n\r\n')) break
  }
  return { bytes, tail }
}

describe('a reader who stops reading', () => {
  test('stops the producer, gets the rest when it reads on, and costs no memory', async () => {
    const { seen, engine, stalled } = talkative()
    const service = await openService({ engine })
    const socket = await postAndPause(await listen(service), '/tactics/shout/stream', { task: 'a' })
    await stalled(1)
    expect(seen.emittedBytes).toBeLessThan(onTheWayBytes)

    const { bytes, tail } = await readAll(socket)
    expect(bytes).toBeGreaterThan(95_000_000)
    expect(tail).toMatch(/event: result\n.*\n\nid: \d+\nevent: end\n/)
    await vi.waitFor(() => expect(held(service)).toBe(0))
  })

  test('does not keep its call from its deadline, and is disconnected if it does not read the end either', async () => {
    const { seen, engine, stalled } = talkative()
    const { world, pass, waits } = heldWorld()
    const service = await openService({ engine, world })
    const socket = await postAndPause(await listen(service), '/tactics/shout/stream', { task: 'a', timeout_ms: 2_000 })
    await stalled(1)
    await vi.waitFor(() => expect(seen.ended).toBe(1), { timeout: 5_000 })
    await vi.waitFor(() => expect(waits()).toEqual([30_000]))
    expect(held(service)).toBe(0)
    pass(30_000)
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(0))
    expect(waits()).toEqual([])
    socket.destroy()
  })

  test('costs no memory either where an author tells much and waits for nobody', async () => {
    const progress = { type: 'progress', sessionId: 's', path: ['shout'], data: 'x'.repeat(pieceBytes) } as const
    const told = Promise.withResolvers<void>()
    const service = await openService({
      engine: producing(async (emit, signal) => {
        for (let count = 0; count < 10_000; count++) void emit(progress)
        told.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }),
    })
    const socket = await postAndPause(await listen(service), '/tactics/shout/stream', { task: 'a' })
    await told.promise
    service.server.lllm.shutdown.stop()
    const { bytes, tail } = await readAll(socket)
    expect(bytes).toBeLessThan(1_000_000)
    expect(tail).toContain('event: end')
  })

  test('gets the end that came while it did not read', async () => {
    const { engine, stalled } = talkative()
    const service = await openService({ engine })
    const socket = await postAndPause(await listen(service), '/tactics/shout/stream', { task: 'a' })
    await stalled(1)
    service.server.lllm.shutdown.stop()
    const { tail } = await readAll(socket)
    expect(tail).toMatch(/event: error\n.*"code":"draining".*\n\nid: \d+\nevent: end\n/)
  })
})

test('200 slow readers who leave leave nothing behind', async () => {
  const { seen, engine, stalled } = talkative()
  const { world, waits } = heldWorld()
  const service = await openService({ engine, world, settings: { callsMax: 200 } })
  const baseUrl = await listen(service)
  const sockets = await Promise.all(
    Array.from({ length: 200 }, () => postAndPause(baseUrl, '/tactics/shout/stream', { task: 'a' })),
  )
  await stalled(200)
  expect(held(service)).toBe(200)
  expect(waits()).toEqual(Array(200).fill(15_000))
  for (const socket of sockets) socket.destroy()

  await vi.waitFor(() => expect(seen).toMatchObject({ ended: 200, waiting: 0 }))
  await vi.waitFor(() => expect(service.logLines).toHaveLength(200))
  expect(service.logLines.every(({ status }) => status === 499)).toBe(true)
  expect(held(service)).toBe(0)
  expect(waits()).toEqual([])
  expect(await connectionCount(service)).toBe(0)
  const givePlacesBack = await service.server.lllm.admission.enter(defaultTenant, 200, AbortSignal.timeout(1_000))
  givePlacesBack()
  const { data } = (await service.server.inject('/sessions?limit=200')).json()
  expect(data).toHaveLength(200)
  expect(data.every(({ state }: { state: string }) => state === 'cancelled')).toBe(true)
})
