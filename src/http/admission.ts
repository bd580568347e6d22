import { LllmError } from '../domain/errors.ts'
import { stopError } from '../domain/stop.ts'
import { createWaitingLines, type Waiter } from './waiting-lines.ts'

/** How much work the service takes on. */
export interface AdmissionBounds {
  /** Calls that may be under way at once, 1 or more. A batch counts as many as it has workers. */
  readonly callsMax: number
  /** Calls that may wait for a place. 0: none waits. */
  readonly queueMax: number
}

/**
 * The door: it lets in as many calls as there are places, has some wait in line, and turns the rest away. Each tenant has a line of its own. A
 * place that becomes free is for the tenant with the fewest, of several such for the one whose turn was longest ago; and where all that may
 * wait do, whoever comes takes the place in line of the last one of the tenant with the most, if that has more than his own.
 */
export interface Admission {
  /**
   * Takes places for a tenant, as soon as it is its turn and all of them are free. The returned function gives them back.
   *
   * Rejects with an LllmError `overloaded` when there is no room in line, or none any more, or with how the signal stopped the call while it
   * waited. `places` is at most `callsMax`, or the turn would never come.
   */
  enter(tenant: string, places: number, signal: AbortSignal): Promise<() => void>
}

/** @param onQueue Is told how many places more are waited for, or fewer. */
export function createAdmission(
  { callsMax, queueMax }: AdmissionBounds,
  onQueue: (change: number) => void = () => {},
): Admission {
  /** By tenant, of those who have some. */
  const taken = new Map<string, number>()
  const takenBy = (tenant: string) => taken.get(tenant) ?? 0
  const lines = createWaitingLines(takenBy, onQueue)
  let takenCount = 0

  const take = (tenant: string, places: number) => {
    takenCount += places
    const now = takenBy(tenant) + places
    if (now === 0) taken.delete(tenant)
    else taken.set(tenant, now)
  }
  const admitNext = () => {
    // Whoever needs many places is not overtaken by those who need few, or would wait for ever.
    for (let waiter = lines.next(); waiter !== undefined; waiter = lines.next()) {
      if (takenCount + waiter.places > callsMax) return
      lines.takeTurn(waiter)
      take(waiter.tenant, waiter.places)
      waiter.admit()
    }
  }
  const queue = (tenant: string, places: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        lines.leave(waiter)
        reject(stopError(signal))
        // It may have been the one that held up the line.
        admitNext()
      }
      const waiter: Waiter = {
        tenant,
        places,
        admit() {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
        refuse() {
          signal.removeEventListener('abort', onAbort)
          reject(overloaded())
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      lines.join(waiter)
      // It may be its turn before that of one who waits for more places than are free.
      admitNext()
    })

  return {
    async enter(tenant, places, signal) {
      if (signal.aborted) throw stopError(signal)
      if (lines.isEmpty && takenCount + places <= callsMax) take(tenant, places)
      else if (lines.makeRoom(tenant, places, queueMax)) await queue(tenant, places, signal)
      else throw overloaded()
      return () => {
        take(tenant, -places)
        admitNext()
      }
    },
  }
}

function overloaded(): LllmError {
  return new LllmError('overloaded', 'The service has as many calls under way and waiting as it accepts.')
}
