import type { ApiKey, KeyStore } from '../domain/api-key.ts'
import type { Authenticator, KeyJudge } from '../domain/authenticator.ts'
import type { Caller } from '../domain/caller.ts'
import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { idOf, isKeyOf } from './key-secret.ts'

/** For how long what the store said of a key is believed: until then a revoked one may still be used. */
export const believedMs = 5_000
/** For how much longer while the store does not answer: who has been let in is not locked out by an outage. */
const believedInOutageMs = 300_000
/** Keys that are remembered. Beyond, the one that was asked for longest ago is forgotten. */
const rememberedMax = 10_000

/** Rotations that are followed from one key to the one that holds in its place. */
const replacementsMax = 1_000

/** Compared where there is no such key, so that it takes as long to refuse. */
const nobodysHash = '0'.repeat(64)

/** Whether something is so recent. What is from a time to come is not: the clock was set back, and nobody knows how old it is. */
function isWithin(maxMs: number, atMs: number, nowMs: number): boolean {
  return atMs <= nowMs && nowMs - atMs < maxMs
}

export interface KeyAuthenticator extends Authenticator, KeyJudge {
  isAtHand(credential: string): boolean
  /** Has all keys at hand that there are now: otherwise they would all be new, and wait for those of somebody who guesses. */
  rememberAll(): Promise<void>
}

interface Remembered {
  readonly key: ApiKey
  readonly atMs: number
}

/** Knows callers by the keys of a store, and what became of those. */
export function createKeyAuthenticator(store: KeyStore, clock: Pick<Clock, 'now'>): KeyAuthenticator {
  const remembered = new Map<string, Remembered>()
  /** What the store is being asked for, by the ids: many who come at once with one key ask once. */
  const finding = new Map<string, Promise<ApiKey | undefined>>()
  let emptiness: { readonly isEmpty: boolean; readonly atMs: number } | undefined

  async function find(id: string): Promise<ApiKey | undefined> {
    const nowMs = clock.now()
    const known = remembered.get(id)
    if (known !== undefined && isWithin(believedMs, known.atMs, nowMs)) return known.key
    const underWay = finding.get(id) ?? store.find(id).finally(() => finding.delete(id))
    finding.set(id, underWay)
    try {
      const key = await underWay
      remembered.delete(id)
      if (key !== undefined) remember(key, nowMs)
      return key
    } catch (error) {
      if (known !== undefined && isWithin(believedInOutageMs, known.atMs, nowMs)) return known.key
      throw error
    }
  }

  function remember(key: ApiKey, atMs: number) {
    remembered.set(key.id, { key, atMs })
    const [oldest] = remembered.keys()
    if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest)
  }

  return {
    async rememberAll() {
      const nowMs = clock.now()
      for (const key of await store.list()) if (!remembered.has(key.id)) remember(key, nowMs)
    },
    isAtHand(credential) {
      const id = idOf(credential)
      return id !== undefined && remembered.has(id)
    },
    async isOpen() {
      const nowMs = clock.now()
      // Keys that hold no more still count: where there was one, there will always be one.
      if (emptiness?.isEmpty === false) return false
      if (emptiness === undefined || !isWithin(believedMs, emptiness.atMs, nowMs)) {
        emptiness = { isEmpty: await store.isEmpty(), atMs: nowMs }
      }
      return emptiness.isEmpty
    },
    async authenticate(credential) {
      const id = idOf(credential)
      const key = id === undefined ? undefined : await find(id)
      const isRight = isKeyOf(credential, key?.hash ?? nobodysHash)
      if (key === undefined || !isRight) throw new LllmError('unauthenticated', 'The key is nobody’s.')
      const end = endOf(key, clock.now())
      if (end !== undefined) throw new LllmError('unauthenticated', `The key ${end}.`)
      return toCaller(key)
    },
    async refusalOf(keyId) {
      let next: string | null = keyId
      let end: string | undefined = isGone
      for (let replacements = 0; next !== null && replacements < replacementsMax; replacements++) {
        const key: ApiKey | undefined = await find(next)
        end = key === undefined ? isGone : endOf(key, clock.now())
        // One that was revoked was taken away from whoever had it, whatever came in its place.
        next = end === hasExpired ? (key?.replacedBy ?? null) : null
      }
      return end
    },
  }
}

const wasRevoked = 'was revoked'
const hasExpired = 'has expired'
const isGone = 'is not there any more'

/** Undefined: it holds. */
function endOf({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): string | undefined {
  if (revokedAtMs !== null) return wasRevoked
  return expiresAtMs !== null && expiresAtMs <= nowMs ? hasExpired : undefined
}

function toCaller({ id, tenant, scopes, limits }: ApiKey): Caller {
  return { tenant, keyId: id, isRevocable: true, scopes, limits }
}
