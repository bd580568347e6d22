import { LllmFault } from './fault.ts'
import { LllmProblem } from './problem.ts'

/** For how long a service may be away before it is given up. */
const outageMaxMs = 60_000
const firstPauseMs = 250
const longestPauseMs = 5_000

/** Waits for a service that is away for a moment: while it is started anew, or its store is. */
export interface Patience {
  /** Says that the service has answered. */
  rewarded(): void
  /**
   * Waits before the next try. Rejects with the error when it is none that passes by itself, or when the service has been away for too
   * long; with the reason of the signal once that aborts.
   */
  endure(error: unknown): Promise<void>
}

/** Is only for what may be asked any number of times. */
export function openPatience(signal: AbortSignal | undefined): Patience {
  let sinceMs: number | undefined
  let pauseMs = firstPauseMs
  return {
    rewarded() {
      sinceMs = undefined
      pauseMs = firstPauseMs
    },
    async endure(error) {
      sinceMs ??= Date.now()
      if (!passesByItself(error) || Date.now() - sinceMs > outageMaxMs) throw error
      await pause(Math.max(pauseMs, retryAfterMs(error)), signal)
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
    },
  }
}

function passesByItself(error: unknown): boolean {
  if (error instanceof LllmProblem) return error.status === 503
  if (!(error instanceof LllmFault)) return false
  // The page of a proxy whose service is away; what is wrong with a success stays wrong.
  return error.kind === 'protocol' ? (error.status ?? 0) >= 500 : error.kind !== 'left'
}

function retryAfterMs(error: unknown): number {
  return error instanceof LllmProblem ? Math.min(error.retryAfterMs ?? 0, longestPauseMs) : 0
}

/** Rejects with the reason of the signal once that aborts. */
export function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
