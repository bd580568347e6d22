import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { Stopped } from '../domain/stop.ts'

/** Calls that were stopped have ended in this time, unless something is wrong with them. */
const stoppingMaxMs = 1_000

/** How the service comes to its end without losing calls, or at least their records. */
export interface Shutdown {
  /** Whether new calls are refused. */
  readonly begun: boolean
  /** Aborts, with the reason `shutdown`, when the calls that are still under way have to end. */
  readonly signal: AbortSignal
  /**
   * Refuses new calls, waits for those under way, after `graceMs` at most stops the rest, and waits again until these have
   * ended, which is soon. Closing the server comes next.
   */
  drain(graceMs: number): Promise<void>
  /** Refuses new calls and stops those under way. */
  stop(): void
  /**
   * Counts a call as under way until the returned function is called.
   *
   * @throws LllmError `draining` once the shutdown has begun.
   */
  enter(): () => void
}

export function createShutdown(clock: Clock): Shutdown {
  const stopped = new AbortController()
  const idle = new AbortController()
  let begun = false
  let callsUnderWay = 0

  const begin = () => {
    begun = true
    if (callsUnderWay === 0) idle.abort()
  }
  const stop = () => {
    begin()
    if (!stopped.signal.aborted) stopped.abort(new Stopped('shutdown'))
  }
  return {
    get begun() {
      return begun
    },
    signal: stopped.signal,
    stop,
    async drain(graceMs) {
      begin()
      // The sleep ends early, by a rejection, when the last call has ended.
      await clock.sleep(graceMs, idle.signal).catch(() => undefined)
      stop()
      await clock.sleep(stoppingMaxMs, idle.signal).catch(() => undefined)
    },
    enter() {
      if (begun) throw new LllmError('draining', 'The service is shutting down and takes no new calls.')
      callsUnderWay += 1
      return () => {
        callsUnderWay -= 1
        if (begun && callsUnderWay === 0) idle.abort()
      }
    },
  }
}
