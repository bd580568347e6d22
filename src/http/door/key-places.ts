import type { Caller } from '../../domain/caller.ts'
import { LllmError } from '../../domain/errors.ts'

/** A place is free again when a call has ended, and nobody knows when that is. */
const retryAfterMs = 1_000

/** Holds each key to as many calls at once as it may have under way, in this process. */
export interface KeyPlaces {
  /**
   * Takes places for a call. The returned function gives them back.
   *
   * @throws LllmError `rate-limited` when the key has not so many left.
   */
  enter(caller: Caller, places: number): () => void
}

export function createKeyPlaces(): KeyPlaces {
  /** Only of keys that have calls under way, of which the service has a bound. */
  const taken = new Map<string, number>()

  const change = (name: string, places: number) => {
    const now = (taken.get(name) ?? 0) + places
    if (now === 0) taken.delete(name)
    else taken.set(name, now)
  }
  return {
    enter({ tenant, keyId, limits: { concurrency } }, places) {
      if (keyId === null || concurrency === undefined) return () => {}
      const name = JSON.stringify([tenant, keyId])
      if ((taken.get(name) ?? 0) + places > concurrency) {
        const message = `This key may have ${concurrency} calls under way at once; a batch counts as many as it has workers (max_workers).`
        throw new LllmError('rate-limited', message, { retryAfterMs })
      }
      change(name, places)
      return () => change(name, -places)
    },
  }
}
