import {
  type KeptAnswer,
  type KeyClaim,
  type KeyedRequest,
  keyKeptMs,
  keyLeaseMs,
} from '../domain/idempotency-store.ts'

/** What is known of a key. Times are in ms since 1970. */
export interface KeyRow {
  readonly fingerprint: string
  readonly workId: string
  /** The process that is at it. */
  readonly owner: string
  /** Until when its process need not be heard of; null: the work does not end with a process. */
  readonly aliveUntilMs: number | null
  readonly expiresAtMs: number
  /** Requests that have the key and have not let go of it. */
  readonly holders: number
  readonly answer: KeptAnswer | null
}

export interface KeyHolder {
  /** Which process asks: unique for each start of a process. */
  readonly owner: string
  /** Whether several processes use the storage at once. If not, every other owner is gone. */
  readonly isShared: boolean
}

export function newKeyRow({ fingerprint, workId, joins }: KeyedRequest, owner: string, nowMs: number): KeyRow {
  return {
    fingerprint,
    workId,
    owner,
    aliveUntilMs: joins ? null : nowMs + keyLeaseMs,
    expiresAtMs: nowMs + keyKeptMs,
    holders: 1,
    answer: null,
  }
}

/** What a claim of a key comes to that is known already. Undefined: it is free, for what was known of it holds no longer. */
export function judgeClaim(row: KeyRow, request: KeyedRequest, holder: KeyHolder, nowMs: number): KeyClaim | undefined {
  if (row.expiresAtMs <= nowMs || isOrphan(row, holder, nowMs)) return undefined
  if (row.fingerprint !== request.fingerprint) return { kind: 'mismatch' }
  if (row.answer !== null) return { kind: 'answered', answer: row.answer }
  // It had been claimed by this request when the storage failed, and the claim was tried again.
  if (row.workId === request.workId) return { kind: 'begun', workId: row.workId }
  return row.aliveUntilMs === null ? { kind: 'joined', workId: row.workId } : { kind: 'under-way' }
}

/** Whether the process is gone that was at it. */
function isOrphan({ answer, aliveUntilMs, owner }: KeyRow, holder: KeyHolder, nowMs: number): boolean {
  if (answer !== null || aliveUntilMs === null) return false
  return holder.isShared ? aliveUntilMs <= nowMs : owner !== holder.owner
}
