import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import {
  type IdempotencyStore,
  type KeptAnswer,
  type KeyClaim,
  type KeyedRequest,
  type KeyUse,
  keyLeaseMs,
} from '../domain/idempotency-store.ts'
import { inTime } from '../domain/in-time.ts'

/** Nobody's answer waits longer than this for its being kept. */
const settlingMaxMs = 2_000
const retryEveryMs = 1_000
/** Uses that wait to be settled, and characters of their answers together. Beyond, the oldest is given up: its key stays taken. */
const waitingMax = 10_000
const waitingCharactersMax = 64 * 1024 * 1024
/** Keys of which nobody knows whether they were taken, while the store fails. */
const doubtsMax = 1_000
/** Often enough that a few beats may get lost. */
const beatEveryMs = keyLeaseMs / 4
/** Keys whose time is over are removed this often, while keys are used; so many at a time, for their answers may be long. */
const sweepEveryMs = 60_000
const sweepSize = 50
const sweepStepsMax = 10_000

/** Has a key, and what became of it: its answer, or nothing. */
interface Settlement {
  readonly use: KeyUse
  readonly answer: KeptAnswer | undefined
}

/** Sees to it that keys which are under way stay so, and that every one of them is settled, also while the store fails. */
export interface AnswerKeeper {
  /** Rejects with an LllmError `store-unavailable`: what cannot be remembered is not begun. */
  claim(request: KeyedRequest): Promise<KeyClaim>
  /**
   * Keeps an answer; undefined: lets go of the key. Resolves, never rejects, once that is stored, or waits to be: then to the
   * error that was in the way.
   */
  settle(use: KeyUse, answer: KeptAnswer | undefined): Promise<unknown>
  /** Leaves a key as it is: whoever repeats the request goes on with it. */
  leave(use: KeyUse): void
  /** Tries once more to settle what waits, then lets go of it. */
  close(): Promise<void>
}

export function createAnswerKeeper(store: IdempotencyStore, clock: Pick<Clock, 'now'>): AnswerKeeper {
  const underWay = new Set<string>()
  const waiting = new Set<Settlement>()
  let waitingCharacters = 0
  let heart: NodeJS.Timeout | undefined
  let isBeating = false
  let retryTimer: NodeJS.Timeout | undefined
  let retrying: Promise<void> | undefined
  let sweptAtMs = Number.NEGATIVE_INFINITY
  let sweeping: Promise<void> | undefined
  let isClosed = false

  function hold({ workId }: KeyUse) {
    underWay.add(workId)
    if (store.isShared) heart ??= setInterval(() => void beat(), beatEveryMs).unref()
  }

  function letGo({ workId }: KeyUse) {
    underWay.delete(workId)
    if (underWay.size > 0) return
    clearInterval(heart)
    heart = undefined
  }

  async function beat() {
    if (isBeating) return
    isBeating = true
    // When the store is back before the lease is over, nothing has happened.
    await store.beat().catch(() => undefined)
    isBeating = false
  }

  async function write({ use, answer }: Settlement) {
    await settleInTime(answer === undefined ? store.release(use) : store.complete(use, answer))
    letGo(use)
  }

  function waitFor(settlement: Settlement) {
    waiting.add(settlement)
    waitingCharacters += sizeOf(settlement)
    for (const oldest of waiting) {
      if (waiting.size <= waitingMax && waitingCharacters <= waitingCharactersMax) break
      forgetWaiting(oldest)
      letGo(oldest.use)
    }
    retryLater()
  }

  function forgetWaiting(settlement: Settlement) {
    if (waiting.delete(settlement)) waitingCharacters -= sizeOf(settlement)
  }

  async function settleWaiting() {
    for (const settlement of waiting) {
      try {
        await write(settlement)
      } catch {
        return // It was told when it first failed; the store is still down.
      }
      forgetWaiting(settlement)
    }
  }

  /** Never twice at once: the store is asked by one at a time while it fails. */
  function retry(): Promise<void> {
    retrying ??= settleWaiting().finally(() => (retrying = undefined))
    return retrying
  }

  function retryLater() {
    if (isClosed || waiting.size === 0 || retryTimer !== undefined) return
    retryTimer = setTimeout(async () => {
      await retry()
      retryTimer = undefined
      retryLater()
    }, retryEveryMs).unref()
  }

  function sweepNowAndThen() {
    if (sweeping !== undefined || clock.now() - sweptAtMs < sweepEveryMs) return
    sweptAtMs = clock.now()
    sweeping = sweep().finally(() => (sweeping = undefined))
  }

  async function sweep() {
    try {
      for (let step = 0; step < sweepStepsMax && !isClosed; step++) {
        if ((await store.forget(sweepSize)) < sweepSize) return
      }
    } catch {
      // There is a next time.
    }
  }

  return {
    async claim(request) {
      const claim = await store.claim(request).catch((error: unknown) => {
        // It may have been taken all the same, and nobody would ever settle it.
        if (waiting.size < doubtsMax) waitFor({ use: request, answer: undefined })
        throw error
      })
      if (claim.kind === 'begun' && !request.joins) hold(request)
      sweepNowAndThen()
      return claim
    },
    async settle(use, answer) {
      const settlement = { use, answer }
      try {
        await write(settlement)
        return undefined
      } catch (error) {
        waitFor(settlement)
        return error
      }
    },
    leave: letGo,
    async close() {
      isClosed = true
      clearTimeout(retryTimer)
      await retry()
      await sweeping
      waiting.clear()
      clearInterval(heart)
    },
  }
}

function sizeOf({ answer }: Settlement): number {
  return answer?.body.length ?? 0
}

/** A change that comes after its time does no harm: it is made once, however often it is tried. */
function settleInTime(change: Promise<void>): Promise<void> {
  const message = `The store has not answered for ${settlingMaxMs} ms.`
  return inTime(change, settlingMaxMs, () => new LllmError('store-unavailable', message))
}
