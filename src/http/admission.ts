import { LllmError } from '../domain/errors.ts'
import { stopError } from '../domain/stop.ts'

/** How much work the service takes on. */
export interface AdmissionBounds {
  /** Calls that may be under way at once, 1 or more. A batch counts as many as it has workers. */
  readonly callsMax: number
  /** Calls that may wait for a place. 0: none waits. */
  readonly queueMax: number
}

/** The door: it lets in as many calls as there are places, has some wait in line, and turns the rest away. */
export interface Admission {
  /**
   * Takes places, as soon as it is its turn and all of them are free. The returned function gives them back.
   *
   * Rejects with an LllmError `overloaded` when the line is full, or with how the signal stopped the call while it waited.
   * `places` is at most `callsMax`, or the turn would never come.
   */
  enter(places: number, signal: AbortSignal): Promise<() => void>
}

interface Waiter {
  readonly places: number
  readonly admit: () => void
}

/** @param onQueue Is told how many places more are waited for, or fewer. */
export function createAdmission(
  { callsMax, queueMax }: AdmissionBounds,
  onQueue: (change: number) => void = () => {},
): Admission {
  const line = new Set<Waiter>()
  let taken = 0
  let waiting = 0

  const admitNext = () => {
    // First come, first served: whoever needs many places is not overtaken by those who need few, or would wait for ever.
    for (const waiter of line) {
      if (taken + waiter.places > callsMax) return
      leaveLine(waiter)
      taken += waiter.places
      waiter.admit()
    }
  }
  const wait = (change: number) => {
    waiting += change
    onQueue(change)
  }
  const leaveLine = (waiter: Waiter) => {
    if (line.delete(waiter)) wait(-waiter.places)
  }
  const queue = (places: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        leaveLine(waiter)
        reject(stopError(signal))
        // It may have been the one that held up the line.
        admitNext()
      }
      const waiter: Waiter = {
        places,
        admit() {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      line.add(waiter)
      wait(places)
    })

  return {
    async enter(places, signal) {
      if (signal.aborted) throw stopError(signal)
      if (line.size === 0 && taken + places <= callsMax) taken += places
      else if (waiting + places <= queueMax) await queue(places, signal)
      else throw new LllmError('overloaded', 'The service has as many calls under way and waiting as it accepts.')
      return () => {
        taken -= places
        admitNext()
      }
    },
  }
}
