import { expect, test } from 'vitest'
import { type SessionRows, toSessionRows } from '../../src/stores/session-rows.ts'
import { openSqliteTables } from '../../src/stores/sqlite-database.ts'
import { toStoredSession } from '../../src/stores/stored-session.ts'
import { databaseFiles } from '../support/database-files.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const { newPath } = databaseFiles()
const rows = (number: number) => toSessionRows(toStoredSession(buildSession({ id: sessionId(number) })))

/** A session that no database takes: one tag twice. */
function spoilt(number: number): SessionRows {
  const tag = [sessionId(number), 'team', 'red', 0]
  return { ...rows(number), tags: [tag, tag] }
}

test('writes the neighbours of a session that cannot be written, and names it', async () => {
  const tables = await openSqliteTables({ path: newPath() })
  const refusals = await tables.saveAll([rows(1), spoilt(2), rows(3)])
  expect(refusals.map(({ index }) => index)).toEqual([1])
  expect((await tables.list('default', {}, 10)).data.map(({ id }) => id)).toEqual([3, 1].map(sessionId))
  await tables.close()
})

test('writes nothing of a session that fails half-way, and keeps the version before', async () => {
  const tables = await openSqliteTables({ path: newPath() })
  await tables.saveAll([rows(1)])
  await expect(tables.saveAll([spoilt(1)])).rejects.toThrow('constraint failed')
  expect(await tables.recordOf('default', sessionId(1))).toBe(rows(1).payload[1])
  expect(await tables.costOf('default', sessionId(1))).toHaveLength(1)
  await tables.close()
})

test('writes batches of any size', async () => {
  const tables = await openSqliteTables({ path: newPath() })
  let next = 0
  for (const size of [1, 3, 4, 15, 16, 63, 64, 85, 256]) {
    const batch = Array.from({ length: size }, () => rows(next++))
    expect(await tables.saveAll(batch)).toEqual([])
  }
  const { total } = await tables.costs('default', {}, ['agent'])
  expect(total).toMatchObject({ sessions: next, llmCalls: next })
  await tables.close()
})
