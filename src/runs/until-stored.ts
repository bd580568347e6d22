import type { Clock } from '../domain/clock.ts'
import { isLllmError } from '../domain/errors.ts'

/** Waits between two tries of a write: they double from the first to the longest. */
const firstWaitMs = 50
const longestWaitMs = 2_000

/**
 * Does a write again until the store has taken it: what was paid for is kept in the memory of the process meanwhile. What is no failure of
 * the storage is thrown on, and so is that once the signal has aborted.
 */
export async function untilStored<Result>(
  write: () => Promise<Result>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    try {
      return await write()
    } catch (error) {
      const isOutage = isLllmError(error) && error.code === 'store-unavailable' && error.data['isPermanent'] !== true
      if (!isOutage || signal.aborted) throw error
      await clock.sleep(waitMs, signal).catch(() => undefined)
    }
  }
}
