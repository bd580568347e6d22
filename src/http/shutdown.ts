import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { Slab } from '../domain/slab.ts'

/** Calls that were stopped have ended in this time, unless something is wrong with them. */
const stoppingMaxMs = 1_000

/** How the service comes to its end without losing calls, or at least their records. */
export interface Shutdown {
  /** Whether new calls are refused. */
  readonly begun: boolean
  /** Calls under way: single ones, streams and batches. */
  readonly callsUnderWay: number
  /**
   * Refuses new calls, waits for those under way, after `graceMs` at most stops the rest, and waits again until these have
   * ended, which is soon. Closing the server comes next.
   */
  drain(graceMs: number): Promise<void>
  /** Refuses new calls and stops those under way. */
  stop(): void
  /**
   * Counts a call as under way until the returned function is called. `onStop` is called when it has to end.
   *
   * Not an AbortSignal: those look through all of their listeners whenever one is added or removed.
   *
   * @throws LllmError `draining` once the shutdown has begun.
   */
  enter(onStop: () => void): () => void
  /**
   * Calls back when the shutdown begins, or at once where it has, until the returned function is called. For answers that somebody waits
   * for although nothing is under way for them: they end first, and whoever waits asks the next process.
   */
  onBegin(callback: () => void): () => void
}

export function createShutdown(clock: Clock): Shutdown {
  const underWay = new Slab<() => void>()
  const waiting = new Slab<() => void>()
  const idle = new AbortController()
  let begun = false

  const begin = () => {
    const isFirst = !begun
    begun = true
    if (isFirst) for (const callback of waiting) callback()
    if (underWay.size === 0) idle.abort()
  }
  const stop = () => {
    begin()
    for (const onStop of underWay) onStop()
  }
  return {
    get begun() {
      return begun
    },
    get callsUnderWay() {
      return underWay.size
    },
    stop,
    async drain(graceMs) {
      begin()
      // The sleep ends early, by a rejection, when the last call has ended.
      await clock.sleep(graceMs, idle.signal).catch(() => undefined)
      stop()
      await clock.sleep(stoppingMaxMs, idle.signal).catch(() => undefined)
    },
    enter(onStop) {
      if (begun) throw new LllmError('draining', 'The service is shutting down and takes no new calls.')
      const entry = underWay.add(onStop)
      return () => {
        underWay.remove(entry)
        if (begun && underWay.size === 0) idle.abort()
      }
    },
    onBegin(callback) {
      const entry = waiting.add(callback)
      if (begun) callback()
      return () => void waiting.remove(entry)
    },
  }
}
