import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { type IdempotencyStore, type KeyedRequest, keyLeaseMs } from '../../src/domain/idempotency-store.ts'
import { createAnswerKeeper } from '../../src/http/answer-keeper.ts'
import { createMemoryIdempotencyStore } from '../../src/stores/memory-idempotency-store.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const answer = { status: 200, headers: {}, body: '{}' }
const request = (workId: string, more: Partial<KeyedRequest> = {}): KeyedRequest => ({
  keyHash: `hash of ${workId}`,
  fingerprint: 'f',
  workId,
  joins: false,
  ...more,
})

/** A keeper on a store that several processes seem to share, which fails or hangs where it is told to. */
function openKeeper() {
  const store = createMemoryIdempotencyStore()
  const log: string[] = []
  const faults = new Map<keyof IdempotencyStore, 'fails' | 'hangs' | 'does it, and fails'>()
  function spy<Name extends 'claim' | 'complete' | 'release' | 'beat' | 'forget'>(name: Name) {
    const method = store[name] as (...args: unknown[]) => Promise<unknown>
    return (async (...args: unknown[]) => {
      log.push(name)
      const fault = faults.get(name)
      if (fault === 'hangs') await new Promise(() => {})
      const result = fault === 'fails' ? undefined : await method(...args)
      if (fault !== undefined) throw new LllmError('store-unavailable', 'It is gone.')
      return result
    }) as IdempotencyStore[Name]
  }
  const spied: IdempotencyStore = {
    isShared: true,
    claim: spy('claim'),
    complete: spy('complete'),
    release: spy('release'),
    beat: spy('beat'),
    forget: spy('forget'),
  }
  const count = (name: string) => log.filter((other) => other === name).length
  return { store, faults, count, keeper: createAnswerKeeper(spied, { now: () => Date.now() }) }
}

describe('while keys are under way', () => {
  test('their process is heard of several times in a lease, and no longer than that', async () => {
    const { keeper, count } = openKeeper()
    await keeper.claim(request('1'))
    await keeper.claim(request('2'))
    await vi.advanceTimersByTimeAsync(keyLeaseMs)
    expect(count('beat')).toBe(4)
    await keeper.settle(request('1'), answer)
    await vi.advanceTimersByTimeAsync(keyLeaseMs)
    expect(count('beat')).toBe(8)
    await keeper.settle(request('2'), undefined)
    await vi.advanceTimersByTimeAsync(10 * keyLeaseMs)
    expect(count('beat')).toBe(8)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('one beat that takes long is not followed by another', async () => {
    const { keeper, count, faults } = openKeeper()
    faults.set('beat', 'hangs')
    await keeper.claim(request('1'))
    await vi.advanceTimersByTimeAsync(3 * keyLeaseMs)
    expect(count('beat')).toBe(1)
  })

  test('of work that outlives its request nothing has to be heard', async () => {
    const { keeper, count } = openKeeper()
    await keeper.claim(request('1', { joins: true }))
    await vi.advanceTimersByTimeAsync(10 * keyLeaseMs)
    expect(count('beat')).toBe(0)
  })
})

describe('when the store fails at the end', () => {
  test.each(['fails', 'hangs', 'does it, and fails'] as const)(
    'and %s, the answer waits no longer than 2 s, and is kept later',
    async (fault) => {
      const { keeper, store, faults, count } = openKeeper()
      await keeper.claim(request('1'))
      faults.set('complete', fault)
      const settled = keeper.settle(request('1'), answer)
      await vi.advanceTimersByTimeAsync(2_000)
      expect(await settled).toMatchObject({ code: 'store-unavailable' })
      await vi.advanceTimersByTimeAsync(10_000)
      expect(count('complete')).toBeGreaterThan(2)
      faults.clear()
      await vi.advanceTimersByTimeAsync(3_000)
      expect(await store.claim(request('2', { keyHash: 'hash of 1' }))).toEqual({ kind: 'answered', answer })
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  test('its keys are still held meanwhile', async () => {
    const { keeper, faults, count } = openKeeper()
    await keeper.claim(request('1'))
    faults.set('release', 'fails')
    await keeper.settle(request('1'), undefined)
    const before = count('beat')
    await vi.advanceTimersByTimeAsync(keyLeaseMs)
    expect(count('beat')).toBe(before + 4)
  })

  test('it is tried once more before the end', async () => {
    const { keeper, store, faults } = openKeeper()
    await keeper.claim(request('1'))
    faults.set('complete', 'fails')
    await keeper.settle(request('1'), answer)
    faults.clear()
    await keeper.close()
    expect(await store.claim(request('2', { keyHash: 'hash of 1' }))).toEqual({ kind: 'answered', answer })
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('a key that was taken although the store failed is let go of when it is back', async () => {
  const { keeper, store, faults } = openKeeper()
  faults.set('claim', 'does it, and fails')
  await expect(keeper.claim(request('1'))).rejects.toMatchObject({ code: 'store-unavailable' })
  faults.clear()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await store.claim(request('2', { keyHash: 'hash of 1' }))).toEqual({ kind: 'begun', workId: '2' })
})

test('keys whose time is over are removed while others are used, a few at a time and not with each', async () => {
  const { keeper, store, count } = openKeeper()
  for (let index = 0; index < 120; index++) await store.claim(request(String(index), { joins: true }))
  vi.advanceTimersByTime(24 * 3_600_000)
  await keeper.claim(request('a'))
  await keeper.claim(request('b'))
  await vi.waitFor(() => expect(count('forget')).toBe(3))
  expect(await store.forget(1_000)).toBe(0)
  vi.advanceTimersByTime(60_000)
  await keeper.claim(request('c'))
  await vi.waitFor(() => expect(count('forget')).toBe(4))
})
