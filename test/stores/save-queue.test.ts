import { expect, test } from 'vitest'
import { createSaveQueue } from '../../src/stores/save-queue.ts'
import { type SessionRows, toSessionRows } from '../../src/stores/session-rows.ts'
import type { SaveRefusal } from '../../src/stores/session-tables.ts'
import { toStoredSession } from '../../src/stores/stored-session.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const rows = (number: number) => toSessionRows(toStoredSession(buildSession({ id: sessionId(number) })))

/** A queue whose writes end when the test says so. */
function heldQueue() {
  const writes: { readonly ids: readonly string[]; end(refusals?: readonly SaveRefusal[]): void; fail(): void }[] = []
  const started: (() => void)[] = []
  const write = (batch: readonly SessionRows[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly SaveRefusal[]>()
    const ids = batch.map(({ id }) => id)
    writes.push({ ids, end: (refusals = []) => resolve(refusals), fail: () => reject(new Error('disk')) })
    started.shift()?.()
    return promise
  }
  return {
    queue: createSaveQueue(write),
    write,
    writes,
    nextWrite: () => new Promise<void>((resolve) => started.push(resolve)),
  }
}

test('writes what is saved together as one batch, and what comes meanwhile as the next', async () => {
  const { queue, writes, nextWrite } = heldQueue()
  const first = [1, 2].map((number) => queue.save(rows(number), 10))
  await nextWrite()
  const second = [3, 4, 5].map((number) => queue.save(rows(number), 10))
  expect(writes).toHaveLength(1)
  const secondWrite = nextWrite()
  writes[0]?.end()
  await Promise.all([...first, secondWrite])
  writes[1]?.end()
  await Promise.all(second)
  expect(writes.map(({ ids }) => ids)).toEqual([[1, 2].map(sessionId), [3, 4, 5].map(sessionId)])
})

test('rejects only the sessions that were refused', async () => {
  const { queue, writes, nextWrite } = heldQueue()
  const saves = [1, 2, 3].map((number) => queue.save(rows(number), 10))
  await nextWrite()
  writes[0]?.end([{ index: 1, error: 'refused' }])
  const states = await Promise.allSettled(saves)
  expect(states.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('rejects a whole batch that failed, and goes on with the next', async () => {
  const { queue, writes, nextWrite } = heldQueue()
  const lost = queue.save(rows(1), 10)
  await nextWrite()
  writes[0]?.fail()
  await expect(lost).rejects.toThrow('disk')
  const saved = queue.save(rows(2), 10)
  await nextWrite()
  writes[1]?.end()
  await expect(saved).resolves.toBeUndefined()
})

test('parts batches by number and by size, and takes a session of any size by itself', async () => {
  const sizes: number[] = []
  const queue = createSaveQueue(async (batch) => {
    sizes.push(batch.length)
    return []
  })
  const large = 10 * 1024 * 1024
  await Promise.all([large, large, 2 * large, 1].map((characters, number) => queue.save(rows(number), characters)))
  await Promise.all(Array.from({ length: 300 }, (_, number) => queue.save(rows(number), 1)))
  expect(sizes).toEqual([1, 1, 1, 1, 256, 44])
})

test('refuses what is more than may wait, and has room again afterwards', async () => {
  const { queue, writes, nextWrite } = heldQueue()
  const half = 128 * 1024 * 1024
  const firstWrite = nextWrite()
  const waiting = [queue.save(rows(1), half), queue.save(rows(2), half)]
  await expect(queue.save(rows(3), 1)).rejects.toMatchObject({ code: 'store-unavailable' })
  await firstWrite
  writes[0]?.end()
  await nextWrite()
  writes[1]?.end()
  await Promise.all(waiting)
  const late = queue.save(rows(3), 1)
  await nextWrite()
  writes[2]?.end()
  await expect(late).resolves.toBeUndefined()
})

test('drains: resolves when all that waited is written', async () => {
  const written: string[] = []
  const queue = createSaveQueue(async (batch) => {
    written.push(...batch.map(({ id }) => id))
    return []
  })
  void queue.save(rows(1), 10)
  void queue.save(rows(2), 10)
  await queue.drain()
  expect(written).toEqual([1, 2].map(sessionId))
})

test('asks at each save whether the batch before has been written', async () => {
  const { writes, ...held } = heldQueue()
  let isWritten = false
  const queue = createSaveQueue(held.write, () => {
    if (isWritten) writes[0]?.end()
  })
  const first = queue.save(rows(1), 10)
  await held.nextWrite()
  isWritten = true
  void queue.save(rows(2), 10)
  await first
})
