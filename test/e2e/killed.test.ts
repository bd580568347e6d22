import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { costColumns } from '../../src/stores/sql-schema.ts'
import { databaseFiles } from '../support/database-files.ts'
import { answersUntilKill, callers, killUnderLoad } from './support/kill-under-load.ts'
import { scripted } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const files = databaseFiles()

/** Sessions of which a part is missing, or whose parts do not add up. */
const halfSessions = `
  SELECT id FROM sessions
  WHERE id NOT IN (SELECT session_id FROM session_payloads)
     OR (SELECT count(*) FROM session_tags WHERE session_id = id) <> (SELECT count(*) FROM json_each(tags))
     OR llm_calls <> (SELECT total(llm_calls) FROM cost_lines WHERE session_id = id)
     ${costColumns.map((name) => `OR ${name} <> (SELECT total(${name}) FROM cost_lines WHERE session_id = id)`).join('\n')}
  UNION SELECT session_id FROM session_payloads WHERE session_id NOT IN (SELECT id FROM sessions)
  UNION SELECT session_id FROM cost_lines WHERE session_id NOT IN (SELECT id FROM sessions)
  UNION SELECT session_id FROM session_tags WHERE session_id NOT IN (SELECT id FROM sessions)`

function inspect(path: string) {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return {
      integrity: database.prepare('PRAGMA integrity_check').all(),
      halfSessions: database.prepare(halfSessions).all(),
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
