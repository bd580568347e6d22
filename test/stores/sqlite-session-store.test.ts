import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { folder, newPath } = databaseFiles()

sessionStoreContract('sqlite', () => openSqliteHere(newPath()))

describe('sqlite: a file that lasts', () => {
  test('finds what another process of the past has saved', async () => {
    const path = newPath()
    const before = await openSqliteSessionStore({ path })
    await before.save(buildSession({ tags: { team: 'red' } }))
    await before.close()
    const after = await openSqliteSessionStore({ path })
    expect((await after.list({ tags: { team: 'red' } }, 10)).data).toHaveLength(1)
    await after.close()
  })

  test('leaves one whole file behind when it is closed, without a journal beside it', async () => {
    const path = newPath()
    const store = await openSqliteSessionStore({ path })
    await store.save(buildSession())
    await store.close()
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined()
    expect(integrityOf(path)).toBe('ok')
  })

  test('has every session whose save was resolved after the process was killed', { timeout: 60_000 }, async () => {
    const path = newPath()
    const saved = await saveUntilKilled(path, 300)
    const store = await openSqliteSessionStore({ path })
    const records = await Promise.all(saved.map((id) => store.get(id)))
    expect(saved.length).toBeGreaterThanOrEqual(300)
    expect(records.every((record, index) => record?.id === saved[index])).toBe(true)
    const { total } = await store.costs({}, ['tactic'])
    // What was under way may have been committed as well, but then as a whole: a call for each session.
    expect(total.sessions).toBeGreaterThanOrEqual(saved.length)
    expect(total.llmCalls).toBe(total.sessions)
    await store.close()
    expect(integrityOf(path)).toBe('ok')
  })

  test('serves two stores on one file that save at once', async () => {
    const path = newPath()
    const stores = [await openSqliteSessionStore({ path }), await openSqliteSessionStore({ path })]
    const saves = Array.from({ length: 200 }, (_, number) =>
      stores[number % 2]?.save(buildSession({ id: sessionId(number) })),
    )
    await Promise.all(saves)
    for (const store of stores)
      expect((await store.costs({}, [])).total).toMatchObject({ sessions: 200, llmCalls: 200 })
    await Promise.all(stores.map((store) => store.close()))
  })

  test('sums 10,000 sessions to exactly what they cost', async () => {
    const store = await openSqliteSessionStore({ path: newPath() })
    const sessions = Array.from({ length: 10_000 }, (_, number) =>
      buildSession({
        id: sessionId(number),
        startedAtMs: testStartMs + number * 60_000,
        calls: [{ price: { promptPicoUsd: number * 7_919, completionPicoUsd: number % 13 } }],
      }),
    )
    await Promise.all(sessions.map((session) => store.save(session)))
    const { data, total } = await store.costs({}, ['day', 'model'])
    const expected = sessions.reduce((sum, { cost }) => sum + BigInt(cost.promptPicoUsd), 0n)
    expect(total).toMatchObject({ sessions: 10_000, promptPicoUsd: expected })
    expect(data.reduce((sum, { promptPicoUsd }) => sum + promptPicoUsd, 0n)).toBe(expected)
    expect(data).toHaveLength(8)
    await store.close()
  })
})

describe('sqlite: a file that is of no use', () => {
  test('refuses a file that is no database, names it, and leaves it as it is', async () => {
    const path = join(folder, 'notes.txt')
    const text = 'Dear diary, today I was taken for a database. '.repeat(100)
    writeFileSync(path, text)
    const error = await openingError(path)
    expect(error.message).toContain(path)
    expect(error.message).toContain('not a SQLite database')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('refuses the database of another program', async () => {
    const path = join(folder, 'other.db')
    new DatabaseSync(path).exec('create table sessions (cookie text)')
    expect((await openingError(path)).message).toContain('database of another program')
  })

  test('refuses a database that a newer version has changed', async () => {
    const path = newPath()
    await (await openSqliteSessionStore({ path })).close()
    new DatabaseSync(path).exec(`insert into kysely_migration values ('9999_future', '2030-01-01')`)
    expect((await openingError(path)).message).toContain('newer version')
  })

  test('refuses a folder, and a path through a file', async () => {
    mkdirSync(join(folder, 'a-folder'))
    writeFileSync(join(folder, 'a-file'), '')
    expect((await openingError(join(folder, 'a-folder'))).message).toContain('cannot be opened')
    expect((await openingError(join(folder, 'a-file', 'sessions.db'))).message).toContain('is a file, not a folder')
  })

  const isRoot = process.getuid?.() === 0
  const readOnlyName = 'refuses a folder that it may not write in'
  test.skipIf(isRoot)(isRoot ? `${readOnlyName} (skipped: root may write everywhere)` : readOnlyName, async () => {
    const path = newPath()
    mkdirSync(dirname(path))
    chmodSync(dirname(path), 0o500)
    expect((await openingError(path)).message).toContain('right')
  })
})

describe('sqlite: ordinary disasters', () => {
  test('notices that its file was moved away, and goes on with a new one', async () => {
    const path = newPath()
    const store = await openSqliteSessionStore({ path })
    await store.save(buildSession())
    renameSync(path, `${path}.moved`)
    await store.save(buildSession({ id: sessionId(2) }))
    await store.ping()
    expect((await store.list({}, 10)).data.map(({ id }) => id)).toEqual([sessionId(2)])
    await store.close()
    expect(integrityOf(path)).toBe('ok')
  })

  test('fails with what to do while another process holds the lock, and saves when it lets go', async () => {
    const path = newPath()
    const store = await openSqliteSessionStore({ path })
    const other = new DatabaseSync(path)
    other.exec('begin immediate')
    await expect(store.ping()).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('Another process'),
    })
    other.exec('commit')
    other.close()
    await store.save(buildSession())
    await store.close()
  })
})

function integrityOf(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true })
  const result = database.prepare('pragma integrity_check').get()?.['integrity_check']
  database.close()
  return result
}

async function openingError(path: string): Promise<Error> {
  const error: unknown = await openSqliteSessionStore({ path }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'store-unavailable', data: { file: path } })
  return error as Error
}

/** Lets another process save sessions until it has told of a number of them, then kills it in the middle of its work. */
async function saveUntilKilled(path: string, count: number): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('../support/saving-process.ts', import.meta.url))
  const saver = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(saver, 'exit')
  const saved: string[] = []
  for await (const id of createInterface({ input: saver.stdout })) {
    saved.push(id)
    if (saved.length === count) saver.kill('SIGKILL')
  }
  await exited
  return saved
}
