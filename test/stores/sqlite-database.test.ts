import { chmodSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFileOwner } from '../../src/stores/file-owner.ts'
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

describe('the files of a database', () => {
  const modesIn = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map((name) => [name, modeOf(join(folder, name))]))
  const nameWith = (suffix: string) => `sessions.db${suffix}`
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

  test('are for their owner alone, and so are the folders that are made for them', async () => {
    const folder = dirname(newPath())
    const path = join(folder, 'data', 'sessions.db')
    const owner = createFileOwner(path)
    const tables = await openSqliteTables({ path })
    await owner.own()
    await tables.saveAll([rows(1)])
    const modes = modesIn(dirname(path))
    expect(Object.keys(modes)).toEqual(expect.arrayContaining(['', '-wal', '-shm', '-owner'].map(nameWith)))
    expect(new Set(Object.values(modes))).toEqual(new Set(['600']))
    expect([modeOf(dirname(path)), modeOf(folder)]).toEqual(['700', '700'])
    owner.release()
    await tables.close()
  })

  test('keep the rights that somebody gave them, as do their folders', async () => {
    const path = newPath()
    const folder = dirname(path)
    await (await openSqliteTables({ path })).close()
    chmodSync(path, 0o640)
    chmodSync(folder, 0o750)
    const tables = await openSqliteTables({ path })
    await tables.saveAll([rows(1)])
    expect(modesIn(folder)).toMatchObject({ 'sessions.db': '640', 'sessions.db-wal': '640' })
    expect(modeOf(folder)).toBe('750')
    await tables.close()
  })
})
