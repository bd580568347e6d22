import type { IdempotencyStore, KeyUse } from '../domain/idempotency-store.ts'
import { keyKeptMs } from '../domain/idempotency-store.ts'
import { judgeClaim, type KeyRow, newKeyRow } from './key-row.ts'

/** Characters of answers that are kept together, 128 MB at most, however many answers that is. */
const answerCharactersMax = 64 * 1024 * 1024
const holder = { owner: '', isShared: false } as const

/**
 * Keeps keys in this process, for tests and trials.
 *
 * @param keysMax How many keys are kept, 1 or more. The oldest go first.
 */
export function createMemoryIdempotencyStore(now: () => number = Date.now, keysMax = 10_000): IdempotencyStore {
  const rows = new Map<string, KeyRow>()
  let answerCharacters = 0

  function put(keyHash: string, row: KeyRow) {
    remove(keyHash)
    rows.set(keyHash, row)
    answerCharacters += sizeOf(row)
    for (const oldest of rows.keys()) {
      if (rows.size <= keysMax && answerCharacters <= answerCharactersMax) return
      remove(oldest)
    }
  }

  function remove(keyHash: string) {
    const row = rows.get(keyHash)
    if (row === undefined) return
    rows.delete(keyHash)
    answerCharacters -= sizeOf(row)
  }

  /** Undefined: it has an answer, or is another's by now. */
  function underWay({ keyHash, workId }: KeyUse): KeyRow | undefined {
    const row = rows.get(keyHash)
    return row?.workId === workId && row.answer === null ? row : undefined
  }

  return {
    isShared: false,
    async claim(request) {
      const nowMs = now()
      const row = rows.get(request.keyHash)
      const known = row && judgeClaim(row, request, holder, nowMs)
      if (row === undefined || known === undefined) {
        put(request.keyHash, newKeyRow(request, holder.owner, nowMs))
        return { kind: 'begun', workId: request.workId }
      }
      if (known.kind === 'joined') put(request.keyHash, { ...row, holders: row.holders + 1 })
      return known
    },
    async complete(use, answer) {
      const row = underWay(use)
      if (row !== undefined) put(use.keyHash, { ...row, answer, expiresAtMs: now() + keyKeptMs })
    },
    async release(use) {
      const row = underWay(use)
      if (row === undefined) return
      if (row.holders > 1) put(use.keyHash, { ...row, holders: row.holders - 1 })
      else remove(use.keyHash)
    },
    async beat() {},
    async forget(limit) {
      const nowMs = now()
      const over = [...rows].filter(([, { expiresAtMs }]) => expiresAtMs <= nowMs).slice(0, limit)
      for (const [keyHash] of over) remove(keyHash)
      return over.length
    },
  }
}

function sizeOf({ answer }: KeyRow): number {
  return answer?.body.length ?? 0
}
