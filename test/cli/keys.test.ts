import { describe, expect, test } from 'vitest'
import { createKeyAuthenticator } from '../../src/auth/key-authenticator.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { runLllm } from './support/test-shell.ts'

const { newPath } = databaseFiles()

interface ShownKey {
  readonly id: string
  readonly key: string
  readonly expires_at: string | null
  readonly revoked_at: string | null
}

async function made(database: string, ...args: readonly string[]): Promise<ShownKey> {
  const { code, stdout, stderr } = await runLllm(['keys', ...args, '--json'], { database })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as ShownKey
}

async function callerOf(database: string, key: string) {
  const store = await openSessionStore(database)
  try {
    return await createKeyAuthenticator(store.keys, { now: Date.now }).authenticate(key)
  } finally {
    await store.close()
  }
}

describe('lllm keys', () => {
  test('create writes the key by itself, once, and nothing else tells it', async () => {
    const database = newPath()
    const { code, stdout, stderr } = await runLllm(['keys', 'create', '--name', 'ci'], { database })
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^lllm_[a-z0-9]{12}_[\w-]{43}\n$/) })
    expect(stderr).toMatch(
      /^The key [a-z0-9]{12} of the tenant default\. It is not shown again: only its hash is kept\.\n$/,
    )
    const listed = await runLllm(['keys', 'list'], { database })
    expect(listed.stdout).toMatch(
      /^ID +TENANT +NAME +STATE +EXPIRES +SCOPES\n\w+ +default +ci +active +never +tactics:\*:call sessions:read costs:read\n$/,
    )
    expect(listed.stdout + (await runLllm(['keys', 'list', '--json'], { database })).stdout).not.toContain(
      stdout.trim().slice(18),
    )
    expect(await callerOf(database, stdout.trim())).toMatchObject({ tenant: 'default', limits: {} })
  })

  test('create makes a key for a tenant, with scopes, limits and an end', async () => {
    const database = newPath()
    const limits = ['--requests-per-minute', '60', '--concurrency', '2', '--budget-usd', '1.5', '--per', 'day']
    const scopes = ['--scope', 'tactics:essay:call', '--scope', 'costs:read']
    const shown = await made(
      database,
      'create',
      '--name',
      'app',
      '--tenant',
      'acme',
      ...scopes,
      '--expires',
      '90d',
      ...limits,
    )
    expect(shown).toMatchObject({ budget_usd: 1.5, budget_per: 'day', requests_per_minute: 60, concurrency: 2 })
    expect(Date.parse(shown.expires_at ?? '') - Date.now()).toBeGreaterThan(89 * 86_400_000)
    expect(await callerOf(database, shown.key)).toEqual({
      tenant: 'acme',
      keyId: shown.id,
      isRevocable: true,
      scopes: ['tactics:essay:call', 'costs:read'],
      limits: { requestsPerMinute: 60, concurrency: 2, budget: { account: shown.id, limitUsd: 1.5, per: 'day' } },
    })
  })

  test('rotate makes a key in the place of another: both hold for a while, and spend from one budget', async () => {
    const database = newPath()
    const old = await made(database, 'create', '--name', 'app', '--budget-usd', '1')
    const next = await made(database, 'rotate', old.id, '--keep', '1h')
    expect(next.id).not.toBe(old.id)
    for (const { key } of [old, next]) {
      expect((await callerOf(database, key)).limits.budget).toEqual({ account: old.id, limitUsd: 1, per: 'month' })
    }
    await made(database, 'rotate', next.id, '--keep', '0h')
    await expect(callerOf(database, next.key)).rejects.toMatchObject({ message: 'The key has expired.' })
  })

  test('revoke ends a key, and list says so', async () => {
    const database = newPath()
    const { id, key } = await made(database, 'create', '--name', 'app')
    const { code, stderr } = await runLllm(['keys', 'revoke', id], { database })
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `The key ${id} is revoked. Services notice within 5 seconds.\n`,
    })
    await expect(callerOf(database, key)).rejects.toMatchObject({ message: 'The key was revoked.' })
    expect((await runLllm(['keys', 'list'], { database })).stdout).toContain(' revoked ')
    expect((await runLllm(['keys', 'rotate', id], { database })).stderr).toContain('was revoked. Create another one.')
  })

  test.each([
    [['create', '--name', ''], '--name must be a text of 1 to 128 characters.'],
    [['create', '--name', 'a', '--tenant', 'Acme!'], '--tenant must be 1 to 64 small letters'],
    [['create', '--name', 'a', '--scope', 'everything'], '--scope must be tactics:<name>:call'],
    [['create', '--name', 'a', '--expires', '2020-01-01'], '--expires must be a time to come'],
    [['create', '--name', 'a', '--expires', 'soon'], '--expires must be a time to come'],
    [['create', '--name', 'a', '--concurrency', '0'], '--concurrency must be a whole number from 1'],
    [['create', '--name', 'a', '--budget-usd', '-1'], '--budget-usd must be a number above 0'],
    [['create', '--name', 'a', '--per', 'day'], '--per must be given together with --budget-usd.'],
    [['create', '--name', 'a', '--budget-usd', '1', '--per', 'year'], '--per must be day or month.'],
    [['rotate', 'nobodyskey22'], 'There is no key nobodyskey22.'],
    [['revoke', 'nobodyskey22'], 'There is no key nobodyskey22.'],
  ])('%j is refused, with what would be right', async (args, message) => {
    const { code, stdout, stderr } = await runLllm(['keys', ...args], { database: newPath() })
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`lllm: ${message}`),
    })
  })

  test('refuses a database that ends with its process', async () => {
    const { code, stderr } = await runLllm(['keys', 'create', '--name', 'a'], { database: ':memory:' })
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'lllm: LLLM_DATABASE is :memory:, where no key lasts.\n' })
  })
})
