import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { runLllm } from './support/test-shell.ts'

const { newPath } = databaseFiles()

describe('lllm db', () => {
  test('status lists what is pending, fails then, and makes no file', async () => {
    const database = newPath()
    const { code, stdout, stderr } = await runLllm(['db', 'status'], { database })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^STEP +STATE\n0001_sessions +pending\n/)
    expect(stderr).toBe(`The database ${database} (sqlite) is behind: lllm db migrate brings it up to date.\n`)
    expect(existsSync(database)).toBe(false)
  })

  test('migrate tells the steps that it takes, and then there are none', async () => {
    const database = newPath()
    const first = await runLllm(['db', 'migrate'], { database })
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0001_sessions\n0002_budgets\n/),
      stderr: '',
    })
    expect(await runLllm(['db', 'migrate'], { database })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'The tables are up to date.\n',
    })
    const { code, stdout } = await runLllm(['db', 'status', '--json'], { database })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      kind: 'sqlite',
      database,
      applied: first.stdout.trimEnd().split('\n'),
      pending: [],
    })
  })

  test.each(['status', 'migrate'])('%s refuses sessions that are kept in memory', async (command) => {
    const { code, stderr } = await runLllm(['db', command], { database: ':memory:' })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'lllm: LLLM_DATABASE is :memory:, which has no tables that last.\n',
    })
  })

  test.each(['status', 'migrate'])('%s names a PostgreSQL that is not there, without its password', async (command) => {
    const { code, stderr } = await runLllm(['db', command], { database: 'postgres://lllm:hunter2@127.0.0.1:9/lllm' })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'lllm: The database 127.0.0.1:9/lllm: Nothing listens where PostgreSQL should be. Start it, or correct LLLM_DATABASE.\n',
    })
  })
})

test('with LLLM_MIGRATE=never, a file that is behind is refused until lllm db migrate was run', async () => {
  const database = newPath()
  const env = { LLLM_MIGRATE: 'never' }
  await expect(openSessionStore(database, { migrates: false })).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(/steps behind this version\. Run `lllm db migrate`/),
  })
  expect(existsSync(database)).toBe(false)
  expect(await runLllm(['db', 'migrate'], { database, env })).toMatchObject({ code: 0 })
  expect(await runLllm(['sessions', '--json'], { database, env })).toMatchObject({ code: 0 })
})
