import { expect, test, vi } from 'vitest'
import type { World } from '../../src/domain/clock.ts'
import { firstIdOf } from '../../src/domain/retention.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { buildSession } from '../support/sessions.ts'
import { startService, testWorld } from './support/service.ts'

const { newPath } = databaseFiles()

/** Whoever waits waits a thousandth of the time. */
const hastyWorld: World = {
  ...testWorld,
  clock: {
    ...testWorld.clock,
    sleep: (durationMs, signal) => testWorld.clock.sleep(Math.ceil(durationMs / 1_000), signal),
  },
}

/** A database with sessions that began so many days ago. */
async function sessionsOf(...ages: readonly number[]) {
  const database = newPath()
  const store = await openSqliteSessionStore({ path: database })
  const sessions = ages.map((days) => {
    const startedAtMs = Date.now() - days * 86_400_000
    return buildSession({ id: firstIdOf(startedAtMs), startedAtMs })
  })
  await Promise.all(sessions.map((session) => store.save(session)))
  await store.close()
  return { database, ids: sessions.map(({ id }) => id) }
}

test('a service removes by itself what is older than its settings allow, and tells whoever asks', async () => {
  const { database, ids } = await sessionsOf(40, 10, 1)
  const env = { LLLM_KEEP_SESSIONS_DAYS: '30', LLLM_KEEP_PAYLOADS_DAYS: '7' }
  const { server } = await startService({ database, env, world: hastyWorld })
  const statuses = async (below: string) =>
    Promise.all(ids.map(async (id) => (await server.inject(`/sessions/${id}${below}`)).statusCode))
  await vi.waitFor(async () => expect(await statuses('')).toEqual([404, 410, 200]), { timeout: 10_000, interval: 20 })
  expect(await statuses('/cost')).toEqual([404, 200, 200])
  expect((await server.inject('/costs')).json()).toMatchObject({ total: { sessions: 2 } })
})
