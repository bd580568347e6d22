import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { halfSessions } from '../support/half-sessions.ts'
import { answersUntilKill, callers, killUnderLoad } from './support/kill-under-load.ts'
import { scripted } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const files = databaseFiles()

function inspect(path: string) {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return {
      integrity: database.prepare('PRAGMA integrity_check').all(),
      halfSessions: database.prepare(halfSessions.sqlite).all(),
      sessions: Number(database.prepare('SELECT count(*) AS count FROM sessions').get()?.['count']),
    }
  } finally {
    database.close()
  }
}

test('whatever was answered before a kill -9 under load is there after the restart, whole', async () => {
  const provider = await scripted(() => 'Bees are busy.')
  const database = files.newPath()
  const answered = await killUnderLoad(await spawnService({ provider, database }))
  const restarted = await spawnService({ provider, database })
  expect((await restarted.get('/readyz')).status).toBe(200)
  answered.push(...(await killUnderLoad(restarted)))

  const last = await spawnService({ provider, database })
  for (const id of answered) {
    expect(await last.session(id)).toMatchObject({ id, state: 'success', llm_call_count: 3, sub_sessions: [{}] })
  }
  last.kill('SIGTERM')
  await last.exited
  const { sessions, ...found } = inspect(database)
  expect(found).toEqual({ integrity: [{ integrity_check: 'ok' }], halfSessions: [] })
  // Those whose answers were on their way are there as well, and no others.
  expect(answered.length).toBeGreaterThanOrEqual(2 * answersUntilKill)
  expect(sessions).toBeGreaterThanOrEqual(answered.length)
  expect(sessions).toBeLessThanOrEqual(answered.length + 2 * callers)
})
