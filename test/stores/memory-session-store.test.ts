import { expect, test } from 'vitest'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

sessionStoreContract('memory', async () => createMemorySessionStore())

test('keeps the newest sessions by start when there are more than it may hold', async () => {
  const store = createMemorySessionStore(3)
  for (const number of [5, 1, 4, 2, 3]) {
    await store.save(buildSession({ id: sessionId(number), startedAtMs: testStartMs + number }))
  }
  const { data } = await store.list({}, 10)
  expect(data.map(({ id }) => id)).toEqual([5, 4, 3].map(sessionId))
  expect(await store.get(sessionId(1))).toBeUndefined()
})

test('is not changed by what a reader does with a record', async () => {
  const store = createMemorySessionStore()
  await store.save(buildSession())
  const record = await store.get(sessionId(1))
  Object.assign(record ?? {}, { result: 'changed' })
  expect((await store.get(sessionId(1)))?.result).toBe('Bees are busy.')
})
