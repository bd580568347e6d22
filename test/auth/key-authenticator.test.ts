import { describe, expect, test } from 'vitest'
import { createKeyAuthenticator } from '../../src/auth/key-authenticator.ts'
import { idOf, isKeyOf, makeKey } from '../../src/auth/key-secret.ts'
import type { ApiKey, KeyStore } from '../../src/domain/api-key.ts'
import { LllmError } from '../../src/domain/errors.ts'
import { createMemoryKeys } from '../../src/stores/memory-keys.ts'

const made = makeKey()
const key: ApiKey = {
  id: made.id,
  tenant: 'acme',
  name: 'ci',
  hash: made.hash,
  scopes: ['sessions:read'],
  limits: { concurrency: 2 },
  createdAtMs: 0,
  expiresAtMs: null,
  revokedAtMs: null,
  replacedBy: null,
}
const refused = (message: string) => expect.objectContaining({ code: 'unauthenticated', message })

/** Keys of a store that can be away, at a time that is moved by hand. */
function open() {
  const store = createMemoryKeys()
  const state = { nowMs: 0, isAway: false, asked: 0 }
  const fragile: KeyStore = {
    ...store,
    async find(id) {
      state.asked += 1
      if (state.isAway) throw new LllmError('store-unavailable', 'It is away.')
      return store.find(id)
    },
  }
  return { store, state, authenticator: createKeyAuthenticator(fragile, { now: () => state.nowMs }) }
}

describe('a key', () => {
  test('is its id and chance, and is known again by its hash alone', () => {
    const other = makeKey()
    expect(other.text).not.toBe(made.text)
    expect(idOf(made.text)).toBe(made.id)
    expect(made.text).not.toContain(made.hash)
    expect(isKeyOf(made.text, made.hash)).toBe(true)
    expect(isKeyOf(`${made.text.slice(0, -1)}~`, made.hash)).toBe(false)
    for (const text of ['', 'lllm_', made.id, `${made.text}x`, made.text.replace('lllm', 'llm')]) {
      expect(idOf(text)).toBeUndefined()
    }
  })

  test('tells whose requests are, what they may do, and how much', async () => {
    const { store, authenticator } = open()
    await store.add(key)
    expect(await authenticator.authenticate(made.text)).toEqual({
      tenant: 'acme',
      keyId: made.id,
      isRevocable: true,
      scopes: ['sessions:read'],
      limits: { concurrency: 2 },
    })
  })

  test('that is nobody’s, was revoked or has expired is refused, with no word of which keys there are', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    const stranger = makeKey().text
    const forged = made.text.slice(0, -4) + (made.text.endsWith('AAAA') ? 'BBBB' : 'AAAA')
    for (const text of [stranger, forged, 'x', '']) {
      await expect(authenticator.authenticate(text)).rejects.toEqual(refused('The key is nobody’s.'))
    }
    await store.replace(made.id, 10, { ...key, id: 'other' })
    state.nowMs = 6_000
    await expect(authenticator.authenticate(made.text)).rejects.toEqual(refused('The key has expired.'))
    await store.revoke(made.id, 6_000)
    state.nowMs = 12_000
    await expect(authenticator.authenticate(made.text)).rejects.toEqual(refused('The key was revoked.'))
  })

  test('is asked for once in a while, so that a revoked one ends within 5 seconds', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    for (let count = 0; count < 3; count++) await authenticator.authenticate(made.text)
    expect(state.asked).toBe(1)
    await store.revoke(made.id, 1)
    state.nowMs = 4_999
    await authenticator.authenticate(made.text)
    state.nowMs = 5_000
    await expect(authenticator.authenticate(made.text)).rejects.toEqual(refused('The key was revoked.'))
  })

  test('is asked for when the clock was set back: a revoked one does not hold until the clock is where it was', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    state.nowMs = 3_600_000
    await authenticator.authenticate(made.text)
    await store.revoke(made.id, 1)
    state.nowMs = 0
    await expect(authenticator.authenticate(made.text)).rejects.toEqual(refused('The key was revoked.'))
  })

  test('that was known goes on for five minutes while the store is away, and nobody new is let in', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    await authenticator.authenticate(made.text)
    Object.assign(state, { isAway: true, nowMs: 299_999 })
    await authenticator.authenticate(made.text)
    const away = expect.objectContaining({ code: 'store-unavailable' })
    await expect(authenticator.authenticate(makeKey().text)).rejects.toEqual(away)
    state.nowMs = 300_000
    await expect(authenticator.authenticate(made.text)).rejects.toEqual(away)
  })
})

describe('what was asked for with a key', () => {
  test('is done as long as the key holds, and not once it was revoked, has expired or is gone', async () => {
    const { store, state, authenticator } = open()
    expect(await authenticator.refusalOf(made.id)).toBe('is not there any more')
    await store.add({ ...key, expiresAtMs: 10_000 })
    expect(await authenticator.refusalOf(made.id)).toBeUndefined()
    state.nowMs = 10_000
    expect(await authenticator.refusalOf(made.id)).toBe('has expired')
    await store.revoke(made.id, 10_000)
    state.nowMs = 15_000
    expect(await authenticator.refusalOf(made.id)).toBe('was revoked')
  })

  test('is done for a key that was rotated as long as the one in its place holds, unless the old one was revoked', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    await store.replace(made.id, 10_000, { ...key, id: 'second', expiresAtMs: 20_000 })
    await store.replace('second', 20_000, { ...key, id: 'third' })
    state.nowMs = 30_000
    expect(await authenticator.refusalOf(made.id)).toBeUndefined()
    await store.revoke('third', 30_000)
    state.nowMs = 40_000
    expect(await authenticator.refusalOf(made.id)).toBe('was revoked')
  })

  test('is not done for a key that was rotated because it had become known, and revoked', async () => {
    const { store, authenticator } = open()
    await store.add(key)
    await store.replace(made.id, 10_000, { ...key, id: 'second' })
    await store.revoke(made.id, 1)
    expect(await authenticator.refusalOf(made.id)).toBe('was revoked')
  })
})

describe('keys that are at hand', () => {
  test('are all that there were at the start, so that the store is not asked for them', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    expect(authenticator.isAtHand?.(made.text)).toBe(false)
    await authenticator.rememberAll()
    const later = makeKey()
    await store.add({ ...key, id: later.id, hash: later.hash })
    expect([made.text, later.text, 'lllm_', ''].map((text) => authenticator.isAtHand?.(text))).toEqual([
      true,
      false,
      false,
      false,
    ])
    await authenticator.authenticate(made.text)
    expect(state.asked).toBe(0)
  })

  test('are asked for once by all who come with one at the same time', async () => {
    const { store, state, authenticator } = open()
    await store.add(key)
    await authenticator.rememberAll()
    state.nowMs = 5_000
    await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(made.text)))
    expect(state.asked).toBe(1)
  })
})

describe('a service', () => {
  test('is open until there is a key, and never again', async () => {
    const { store, state, authenticator } = open()
    expect(await authenticator.isOpen()).toBe(true)
    await store.add(key)
    state.nowMs = 5_000
    expect(await authenticator.isOpen()).toBe(false)
    await store.revoke(made.id, 6_000)
    state.nowMs = 100_000
    expect(await authenticator.isOpen()).toBe(false)
  })

  test('does not stay open because the clock was set back', async () => {
    const { store, state, authenticator } = open()
    state.nowMs = 3_600_000
    expect(await authenticator.isOpen()).toBe(true)
    await store.add(key)
    state.nowMs = 0
    expect(await authenticator.isOpen()).toBe(false)
  })
})
