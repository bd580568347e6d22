import type { Clock } from '../domain/clock.ts'
import type { IdempotencyStore } from '../domain/idempotency-store.ts'
import { cleaningRowsMax, type RetentionPart, type RetentionStore } from '../domain/retention.ts'
import type { BackgroundWork } from './background-work.ts'

/** The start of a process has other work to do. */
const firstPassAfterMs = 10_000
/** From the end of a pass to the next, up to a tenth more or less, so that processes do not keep in step. */
const passEveryMs = 300_000
/** Of one pass. What is left then is for the next. */
const stepsMax = 1_000_000
/** A step that took longer is followed by a smaller one: whoever saves waits for it, where there is one connection. */
const stepTargetMs = 10
const firstRows = 50
const rowsMin = 10
/** The storage is left to others for so many times as long as a step took. */
const restTimes = 4
const restMinMs = 25
const restMaxMs = 2_000

/** How long what is kept, in ms. Left out: for ever. */
export interface KeepTimes {
  /** Sessions from their start, runs from their end, each with all that goes with them. */
  readonly sessionsMs?: number
  /** What they were about and came to. */
  readonly payloadsMs?: number
  /** What was told of runs. */
  readonly eventsMs?: number
}

export type CleanerEvent =
  | {
      readonly type: 'cleaner.removed'
      /** Of how many things; `answers` are those to requests with a key. */
      readonly removed: Readonly<Partial<Record<RetentionPart | 'answers', number>>>
      readonly durationMs: number
    }
  /** The rest is tried again with the next pass. */
  | { readonly type: 'cleaner.store-failed'; readonly error: unknown }

export interface CleanerParts {
  readonly store: RetentionStore
  readonly idempotency: Pick<IdempotencyStore, 'forget'>
  readonly clock: Clock
  readonly keep: KeepTimes
  readonly onEvent: (event: CleanerEvent) => void
}

/** Removes what is old, soon after the start and then every few minutes: in small steps, each of which leaves time to others. */
export function createCleaner({ store, idempotency, clock, keep, onEvent }: CleanerParts): BackgroundWork {
  const closing = new AbortController()
  let loop: Promise<void> | undefined

  /** False: it is time to end. */
  async function rest(durationMs: number): Promise<boolean> {
    if (closing.signal.aborted) return false
    return clock.sleep(durationMs, closing.signal).then(
      () => true,
      () => false,
    )
  }

  async function cleanOn() {
    for (let waitMs = firstPassAfterMs; await rest(waitMs); waitMs = passEveryMs * (0.9 + clock.random() / 5)) {
      await pass()
    }
  }

  /** Tells what was removed, also when it came to no end. */
  async function pass() {
    const beganAtMs = clock.now()
    const removed = new Map<RetentionPart | 'answers', number>()
    const count = (part: RetentionPart | 'answers', more: number) => {
      if (more > 0) removed.set(part, (removed.get(part) ?? 0) + more)
    }
    try {
      await takeSteps(beganAtMs, count)
    } catch (error) {
      onEvent({ type: 'cleaner.store-failed', error })
    }
    if (removed.size === 0) return
    onEvent({
      type: 'cleaner.removed',
      removed: Object.fromEntries(removed),
      durationMs: clock.now() - beganAtMs,
    })
  }

  async function takeSteps(nowMs: number, count: (part: RetentionPart | 'answers', more: number) => void) {
    const parts = partsOf(keep, nowMs)
    let rowsMax = firstRows
    let afterId = ''
    for (let step = 0; step < stepsMax && parts.length > 0; step++) {
      const [part] = parts
      const beganAtMs = clock.now()
      const isThrough = part === undefined || (await take(part))
      if (isThrough === 'busy') return
      if (isThrough) parts.shift()
      const tookMs = clock.now() - beganAtMs
      rowsMax = tookMs > stepTargetMs ? Math.max(rowsMin, rowsMax >> 1) : Math.min(cleaningRowsMax, rowsMax + rowsMin)
      if (!(await rest(Math.min(restMaxMs, Math.max(restMinMs, tookMs * restTimes))))) return
    }

    /** Whether nothing more of the part is old enough. */
    async function take({ part, beforeMs }: PlannedPart): Promise<boolean | 'busy'> {
      if (part === 'answers') {
        const forgotten = await idempotency.forget(rowsMax)
        count(part, forgotten)
        return forgotten < rowsMax
      }
      const progress = await store.clean({ part, beforeMs, afterId, rowsMax })
      if (progress === 'busy') return progress
      count(part, progress.removed)
      afterId = progress.nextId ?? ''
      return progress.nextId === null
    }
  }

  return {
    start() {
      loop ??= cleanOn()
    },
    async close() {
      closing.abort()
      await loop
    },
  }
}

interface PlannedPart {
  readonly part: RetentionPart | 'answers'
  readonly beforeMs: number
}

/** What a pass removes, in its order: what goes as a whole need not be taken to pieces before. */
function partsOf({ sessionsMs, payloadsMs, eventsMs }: KeepTimes, nowMs: number): PlannedPart[] {
  const before = (keptMs: number | undefined, ...parts: readonly RetentionPart[]): readonly PlannedPart[] =>
    keptMs === undefined ? [] : parts.map((part) => ({ part, beforeMs: nowMs - keptMs }))
  return [
    { part: 'answers', beforeMs: nowMs },
    ...before(sessionsMs, 'runs', 'sessions', 'batches'),
    ...before(payloadsMs, 'run-texts', 'session-texts'),
    ...before(eventsMs, 'events'),
  ]
}
