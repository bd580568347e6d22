import { afterEach, describe, expect, test } from 'vitest'
import type { ApiKey, KeyStore } from '../../src/domain/api-key.ts'

const key: ApiKey = {
  id: 'abcdefghijkm',
  tenant: 'acme',
  name: 'ci \u0000 é',
  hash: 'f'.repeat(64),
  scopes: ['tactics:essay:call', 'costs:read'],
  limits: { concurrency: 3, budget: { account: 'abcdefghijkm', limitUsd: 0.5, per: 'day' } },
  createdAtMs: 1_000,
  expiresAtMs: null,
  revokedAtMs: null,
  replacedBy: null,
}
const next: ApiKey = { ...key, id: 'abcdefghijkn', createdAtMs: 2_000 }

/** What every store of keys does, wherever it keeps them. */
export function keyStoreContract(name: string, open: () => Promise<{ keys: KeyStore; close(): Promise<void> }>) {
  describe(`${name}: keys of callers`, () => {
    const closings: (() => Promise<void>)[] = []
    afterEach(async () => {
      await Promise.all(closings.splice(0).map((close) => close()))
    })
    const openKeys = async () => {
      const { keys, close } = await open()
      closings.push(close)
      return keys
    }

    test('are kept as they are, oldest first', async () => {
      const keys = await openKeys()
      expect(await keys.isEmpty()).toBe(true)
      expect(await keys.find(key.id)).toBeUndefined()
      await keys.add(next)
      await keys.add(key)
      expect(await keys.find(key.id)).toEqual(key)
      expect(await keys.list()).toEqual([key, next])
      expect(await keys.isEmpty()).toBe(false)
    })

    test('are revoked once, and there is no way back', async () => {
      const keys = await openKeys()
      await keys.add(key)
      expect(await keys.revoke('nobodyskey22', 5)).toBe(false)
      expect([await keys.revoke(key.id, 5_000), await keys.revoke(key.id, 9_000)]).toEqual([true, true])
      expect(await keys.find(key.id)).toEqual({ ...key, revokedAtMs: 5_000 })
      expect(await keys.replace(key.id, 9_000, next)).toBe(false)
      expect(await keys.find(next.id)).toBeUndefined()
      expect(await keys.isEmpty()).toBe(false)
    })

    test('make room for others, at the latest at a time', async () => {
      const keys = await openKeys()
      const ending = { ...key, id: 'abcdefghijkp', expiresAtMs: 3_000 }
      await Promise.all([keys.add(key), keys.add(ending)])
      expect(await keys.replace(key.id, 9_000, next)).toBe(true)
      expect(await keys.replace(ending.id, 9_000, { ...next, id: 'abcdefghijkq' })).toBe(true)
      expect(await keys.find(key.id)).toEqual({ ...key, expiresAtMs: 9_000, replacedBy: next.id })
      expect(await keys.find(ending.id)).toEqual({ ...ending, replacedBy: 'abcdefghijkq' })
      expect(await keys.find(next.id)).toEqual(next)
      expect(await keys.replace('nobodyskey22', 9_000, { ...next, id: 'abcdefghijkr' })).toBe(false)
      expect(await keys.find('abcdefghijkr')).toBeUndefined()
    })
  })
}
