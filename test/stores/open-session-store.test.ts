import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const run = promisify(execFile)
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

test('loads what speaks to PostgreSQL only for a PostgreSQL', { timeout: 30_000 }, async () => {
  const root = new URL('../../src/', import.meta.url).href
  const script = `
    import { createRequire } from 'node:module'
    const loaded = () => Object.keys(createRequire('${root}').cache).some((file) => /[\\\\/]node_modules[\\\\/]pg[\\\\/]/.test(file))
    await import('${root}assemble.ts')
    const { openSessionStore } = await import('${root}stores/open-session-store.ts')
    await (await openSessionStore(':memory:')).close()
    await (await openSessionStore(${JSON.stringify(newPath())})).close()
    const before = loaded()
    await openSessionStore('postgres://127.0.0.1:9/none').catch(() => {})
    console.log(JSON.stringify([before, loaded()]))`
  const { stdout } = await run(process.execPath, ['-e', script])
  expect(JSON.parse(stdout)).toEqual([false, true])
})
