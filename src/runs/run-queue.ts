import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import type { RunStore } from '../domain/run-store.ts'

/** What was counted is believed for so long, with all that this process has added since. Others add as well, and much may have been done. */
const believedMs = 10_000
/** Who seems to have too many is counted again, but not each time that he asks. */
const countAgainMs = 1_000
/** Tenants of whom it is known how many wait. Of those beyond, they are counted again. */
const rememberedMax = 10_000

/** Holds each tenant to a number of runs that wait. */
export interface RunQueue {
  /**
   * Lets in runs that are about to be queued. To be cheap, a tenant's are counted only now and then, so that where several processes take runs
   * there may be a few seconds of them more.
   *
   * Rejects with an LllmError `rate-limited` when the tenant would have too many, `invalid-request` when it can never have so many, or
   * `store-unavailable`.
   */
  admit(tenant: string, count: number): Promise<void>
}

interface Counted {
  readonly atMs: number
  /** With those that were let in since. */
  waiting: number
}

/** @param queuedMax Runs of a tenant that may wait, 1 or more. */
export function createRunQueue(
  store: { of(tenant: string): Pick<ReturnType<RunStore['of']>, 'countQueued'> },
  clock: Pick<Clock, 'now'>,
  queuedMax: number,
): RunQueue {
  const known = new Map<string, Counted>()

  async function count(tenant: string): Promise<Counted> {
    const atMs = clock.now()
    const counted = { atMs, waiting: await store.of(tenant).countQueued(queuedMax) }
    known.delete(tenant)
    known.set(tenant, counted)
    const [oldest] = known.keys()
    if (known.size > rememberedMax && oldest !== undefined) known.delete(oldest)
    return counted
  }

  return {
    async admit(tenant, added) {
      if (added > queuedMax) {
        throw new LllmError('invalid-request', `A tenant may have ${queuedMax} runs that wait, and these are ${added}.`)
      }
      let counted = known.get(tenant)
      const ageMs = counted === undefined ? Infinity : Math.abs(clock.now() - counted.atMs)
      const fits = counted !== undefined && counted.waiting + added <= queuedMax
      if (counted === undefined || ageMs >= (fits ? believedMs : countAgainMs)) counted = await count(tenant)
      if (counted.waiting + added > queuedMax) {
        const message = `The tenant may have ${queuedMax} runs that wait, and has as many, or would have more.`
        throw new LllmError('rate-limited', message, { retryAfterMs: believedMs })
      }
      counted.waiting += added
    },
  }
}
