import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const { newPath } = databaseFiles()

test('keeps sessions in memory when that is asked for', async () => {
  const store = await openSessionStore(':memory:')
  expect(store.kind).toBe('memory')
  await store.close()
})

test.for([
  ['a path', (path: string) => path],
  ['a file: URL', (path: string) => pathToFileURL(path).href],
] as const)('opens SQLite by %s, and makes the folders and the file', async ([, toSetting]) => {
  const path = newPath()
  const store = await openSessionStore(toSetting(path))
  expect(store.kind).toBe('sqlite')
  expect(existsSync(path)).toBe(true)
  await store.close()
})

test.for(['postgres://user:secret@127.0.0.1:9/sessions', 'postgresql://user:secret@127.0.0.1:9/sessions'])(
  'says which PostgreSQL cannot be reached, without the password of the URL',
  async (setting) => {
    const error = await openSessionStore(setting).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('127.0.0.1:9/sessions: Nothing listens where PostgreSQL should be'),
    })
    expect(String(error)).not.toContain('secret')
  },
)

test.for(['', '  ', 'mysql://host/x', 'https://host/x.db', 'file://elsewhere/x.db', 'a\u0000b'])(
  'refuses a setting that names no store: %j',
  async (setting) => {
    await expect(openSessionStore(setting)).rejects.toMatchObject({
      code: 'invalid-settings',
      message: expect.stringContaining(':memory:'),
    })
  },
)
