import type { KeyJudge } from '../domain/authenticator.ts'
import { type Clock, type NewId, timerMaxMs } from '../domain/clock.ts'
import type { RunLease } from '../domain/run.ts'
import type { RunBeat } from '../domain/run-claim.ts'
import type { RunStore } from '../domain/run-store.ts'
import type { ChangeHub } from './change-hub.ts'
import { beatEveryMs, type DispatcherSettings, leaseMs, pollEveryMs } from './dispatcher-settings.ts'
import type { RunEngine } from './execute-run.ts'
import { type AttemptEnd, type RunAttempt, startAttempt } from './run-attempt.ts'

/** Attempts that were stopped have ended in this time, unless their store does not answer. */
const stoppingMaxMs = 2_000

export type DispatcherEvent =
  | ({ readonly type: 'run.started' } & RunLease)
  | ({ readonly type: 'run.ended'; readonly how: AttemptEnd } & RunLease)
  | { readonly type: 'store.failed'; readonly error: unknown }

export interface DispatcherParts {
  readonly store: RunStore
  readonly engine: RunEngine
  /** What became of the keys of runs. */
  readonly keys: KeyJudge
  readonly clock: Clock
  readonly hub: ChangeHub
  /** Makes the name of this process, which is another at each of its starts. */
  readonly newOwner: NewId
  readonly settings: DispatcherSettings
  readonly onEvent: (event: DispatcherEvent) => void
}

/** Has runs executed in this process, as many as it has room for. */
export interface Dispatcher {
  /** Begins to look for work. Rejects with `store-unavailable` when another process does, and the store cannot be shared. */
  start(): Promise<void>
  /** Runs under way in this process. */
  readonly runningCount: number
  /** Starts no more runs, waits `graceMs` at the most, and gives back those that are still under way. Never rejects. */
  drain(graceMs: number): Promise<void>
}

/**
 * One process of those that share the runs of a store. It claims what is due, says every second that it is alive, and hears by the answer
 * what it has to cancel and what it has lost. A process that was frozen, or cut off from the store, learns on its first write or beat
 * that others work on its runs, and writes nothing more.
 */
export function createDispatcher({
  store,
  engine,
  keys,
  clock,
  hub,
  newOwner,
  settings,
  onEvent,
}: DispatcherParts): Dispatcher {
  const attempts = new Map<string, RunAttempt>()
  const closing = new AbortController()
  const idle = new AbortController()
  const work = hub.listen('work')
  const cancels = hub.listen('cancel')
  /** Since when each beat was heard, and when the last one was; undefined: the last one was not. */
  let heard: { readonly sinceMs: number; readonly lastMs: number } | undefined
  /** Runs that the store says are ours, and of which nobody here knew at the last beat. */
  let strays: ReadonlySet<string> = new Set()
  let starting: Promise<void> | undefined
  let owner = ''
  let loops: Promise<unknown> = Promise.resolve()

  /** After an outage of the store everybody seems dead: first all others must have had the time to be heard again. */
  const takesOver = () => {
    const nowMs = clock.now()
    return heard !== undefined && nowMs - heard.sinceMs >= leaseMs && nowMs - heard.lastMs < leaseMs
  }

  async function beatOn() {
    while (!closing.signal.aborted || attempts.size > 0) {
      await beat()
      if (idle.signal.aborted) return
      await cancels.next(beatEveryMs, idle.signal)
    }
  }

  async function beat() {
    const known = [...attempts.values()]
    try {
      const beats = new Map((await store.beat(owner, leaseMs)).map((told) => [told.runId, told]))
      const lastMs = clock.now()
      heard = { sinceMs: heard?.sinceMs ?? lastMs, lastMs }
      // What was claimed meanwhile is not in the answer.
      for (const attempt of known) obey(attempt, beats.get(attempt.lease.runId))
      await releaseStrays([...beats.values()].filter(({ runId }) => !attempts.has(runId)))
    } catch (error) {
      if (heard !== undefined) onEvent({ type: 'store.failed', error })
      heard = undefined
    }
  }

  /** The answer to a claim can get lost on its way. What nobody here knows of twice is not about to be told, either. */
  async function releaseStrays(unknown: readonly RunBeat[]) {
    for (const { runId, attempt } of unknown) {
      if (strays.has(runId)) await store.release({ runId, attempt }).catch(() => undefined)
    }
    strays = new Set(unknown.map(({ runId }) => runId))
  }

  function obey(attempt: RunAttempt, told: RunBeat | undefined) {
    if (attempts.get(attempt.lease.runId) !== attempt) return
    if (told?.attempt !== attempt.lease.attempt) attempt.fence()
    else if (told.cancelReason !== null) attempt.cancel(told.cancelReason)
  }

  async function claimOn() {
    while (!closing.signal.aborted) {
      const mayBeMore = await claim()
      if (!mayBeMore) await work.next(pollEveryMs, closing.signal)
    }
  }

  /** Whether there may be more to start: not where there is no room, nor where less was found than there is room for. */
  async function claim(): Promise<boolean> {
    const slots = settings.workers - attempts.size
    if (slots <= 0) return false
    try {
      const { concurrencyMax } = settings
      const runs = await store.claim({ owner, slots, concurrencyMax, leaseMs, takesOver: takesOver() })
      const parts = { engine, store, keys, clock, attemptsMax: settings.attemptsMax }
      for (const run of runs) begin(startAttempt(parts, run))
      return runs.length === slots
    } catch (error) {
      // An outage is told of by the beats.
      if (heard !== undefined) onEvent({ type: 'store.failed', error })
      return false
    }
  }

  function begin(attempt: RunAttempt) {
    const { runId } = attempt.lease
    // An earlier attempt of the same run can still be on its way out: it has lost its lease.
    attempts.get(runId)?.fence()
    attempts.set(runId, attempt)
    onEvent({ type: 'run.started', ...attempt.lease })
    if (closing.signal.aborted) attempt.release()
    void attempt.ended.then((how) => {
      if (attempts.get(runId) === attempt) attempts.delete(runId)
      onEvent({ type: 'run.ended', how, ...attempt.lease })
      work.wake()
      if (closing.signal.aborted && attempts.size === 0) idle.abort()
    })
  }

  return {
    start() {
      starting ??= store.own().then(() => {
        owner = newOwner()
        if (settings.workers > 0) loops = Promise.all([beatOn(), claimOn()])
      })
      return starting
    },
    get runningCount() {
      return attempts.size
    },
    async drain(graceMs) {
      closing.abort()
      if (attempts.size === 0) idle.abort()
      await clock.sleep(Math.min(graceMs, timerMaxMs), idle.signal).catch(() => undefined)
      for (const attempt of attempts.values()) attempt.release()
      await clock.sleep(stoppingMaxMs, idle.signal).catch(() => undefined)
      for (const attempt of attempts.values()) attempt.abandon()
      await Promise.all([...attempts.values()].map(({ ended }) => ended))
      idle.abort()
      await loops
      work.close()
      cancels.close()
    },
  }
}
