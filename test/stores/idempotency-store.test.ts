import { describe, expect, test } from 'vitest'
import { createMemoryIdempotencyStore } from '../../src/stores/memory-idempotency-store.ts'
import { idempotencyStoreContract } from '../contracts/idempotency-store.ts'

function openMemory() {
  let nowMs = Date.UTC(2026, 10, 2)
  return {
    store: createMemoryIdempotencyStore(() => nowMs),
    async pass(durationMs: number) {
      nowMs += durationMs
    },
  }
}

idempotencyStoreContract('memory', async () => openMemory())

describe('memory: keys', () => {
  test('beyond a number make room, the oldest first', async () => {
    const store = createMemoryIdempotencyStore(() => 0, 2)
    const claim = (keyHash: string) => store.claim({ keyHash, fingerprint: 'f', workId: keyHash, joins: false })
    for (const keyHash of ['1', '2', '3']) expect(await claim(keyHash)).toMatchObject({ kind: 'begun' })
    expect(await claim('3')).toEqual({ kind: 'under-way' })
    expect(await claim('1')).toMatchObject({ kind: 'begun' })
  })
})
