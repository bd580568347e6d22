import type { Clock } from '../../src/domain/clock.ts'

interface Sleeper {
  readonly atMs: number
  wake(): void
}

/** A clock that stands still until a test moves it. Whoever sleeps wakes in the order of time. */
export function virtualClock(random: () => number = () => 0, beginsAtMs = Date.UTC(2026, 0, 1)) {
  let nowMs = beginsAtMs
  const sleepers = new Set<Sleeper>()
  const clock: Clock = {
    now: () => nowMs,
    random,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const onAbort = () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        }
        const sleeper: Sleeper = {
          atMs: nowMs + durationMs,
          wake() {
            sleepers.delete(sleeper)
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        sleepers.add(sleeper)
      }),
  }

  return {
    clock,
    /** How many sleep. */
    get sleeperCount() {
      return sleepers.size
    },
    /** Lets time pass, and everything happen that happens meanwhile. */
    async advance(durationMs: number): Promise<void> {
      const untilMs = nowMs + durationMs
      await settle()
      for (;;) {
        const next = [...sleepers].sort((left, right) => left.atMs - right.atMs)[0]
        if (next === undefined || next.atMs > untilMs) break
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
        await settle()
      }
      nowMs = untilMs
    },
  }
}

/** Lets all promises that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
