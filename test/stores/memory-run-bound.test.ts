import { expect, test } from 'vitest'
import type { NewRun } from '../../src/domain/run.ts'
import type { MemoryRunLimits } from '../../src/stores/memory-run-bound.ts'
import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { buildRun } from '../support/runs.ts'
import { range } from '../support/session-stores.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

const claiming = { owner: 'one', slots: 100, concurrencyMax: 100, leaseMs: 60_000, takesOver: false }
const batch = { id: 'batch-1', tenant: 'red', tactic: 'essay', tacticId: 'demo::essay', tags: {}, createdAtMs: 1_000 }

function newRun(number: number, more: Partial<NewRun> = {}): NewRun {
  return buildRun({ id: sessionId(number), tenant: 'red', request: { timeoutMs: 1 }, ...more })
}

/** Has runs end one after the other, the first one first. */
async function endRuns(runs: readonly NewRun[], limits: MemoryRunLimits, result = 'Bees are busy.') {
  const sessions = createMemorySessionStore()
  const store = createMemoryRuns(sessions, Date.now, limits).runs
  await store.submit({ runs, ...(runs.some(({ batchId }) => batchId !== null) ? { batch } : {}) })
  for (const [index, { id, attempt }] of (await store.claim(claiming)).entries()) {
    const session = buildSession({ id, tenant: 'red', startedAtMs: testStartMs + index, result })
    const event = { type: 'result', result: session.result, cost: session.cost } as const
    await store.finish({ runId: id, attempt }, { session, event: { seq: 1, event }, journal: [] })
  }
  const own = store.of('red')
  const left = async () => (await own.list({}, 100)).data.map(({ id }) => id).sort()
  return { store, own, sessions: sessions.of('red'), left }
}

test('of runs in memory that have ended, the ones that ended first make room, with their sessions and their batch', async () => {
  const inBatch = newRun(0, { batchId: batch.id, batchIndex: 0 })
  const { own, sessions, left } = await endRuns([inBatch, ...range(6).map((number) => newRun(number + 1))], {
    endedMax: 4,
  })
  expect(await left()).toEqual([3, 4, 5, 6].map(sessionId))
  expect(await sessions.get(sessionId(2))).toBeUndefined()
  expect(await sessions.get(sessionId(3))).toMatchObject({ id: sessionId(3) })
  expect(await own.batch(batch.id)).toBeUndefined()
})

test('runs in memory that have not ended stay, and do not count', async () => {
  const { store, own, left } = await endRuns([newRun(1)], { endedMax: 1 })
  await store.submit({ runs: [newRun(2), newRun(3), newRun(4)] })
  await own.cancel(sessionId(3), 'no need')
  expect(await left()).toEqual([2, 3, 4].map(sessionId))
})

test('runs in memory with long texts make room earlier', async () => {
  const { left } = await endRuns(
    range(10).map((number) => newRun(number)),
    { bytesMax: 3_000_000 },
    'x'.repeat(300_000),
  )
  const ids = await left()
  expect(ids.length).toBeLessThan(10)
})

test('runs in memory that a schedule cancels before they are started make room, too', async () => {
  const store = createMemoryRuns(createMemorySessionStore(), Date.now, { endedMax: 2 }).runs
  for (const number of range(6)) {
    const run = newRun(number, { schedule: 'hourly' })
    await store.startTick({ schedule: 'hourly', atMs: number, overlap: 'cancel', run })
  }
  const { data } = await store.of('red').list({}, 100)
  expect(data.map(({ id }) => id).sort()).toEqual([3, 4, 5].map(sessionId))
})
