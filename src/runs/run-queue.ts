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
  const counting = new Map<string, Promise<Counted>>()

  async function count(tenant: string): Promise<Counted> {
    const atMs = clock.now()
    const counted = { atMs, waiting: await store.of(tenant).countQueued(queuedMax) }
    known.delete(tenant)
    known.set(tenant, counted)
    const [oldest] = known.keys()
    if (known.size > rememberedMax && oldest !== undefined) known.delete(oldest)
    return counted
  }

  /** Who comes while a tenant's runs are being counted waits for the same count: each of them adds to it. */
  function countOnce(tenant: string): Promise<Counted> {
    const underWay = counting.get(tenant) ?? count(tenant).finally(() => counting.delete(tenant))
    counting.set(tenant, underWay)
    return underWay
  }

  function isBelieved(counted: Counted, added: number): boolean {
    const ageMs = Math.abs(clock.now() - counted.atMs)
    return ageMs < (counted.waiting + added <= queuedMax ? believedMs : countAgainMs)
  }

  return {
    async admit(tenant, added) {
      if (added > queuedMax) {
        throw new LllmError('invalid-request', `A tenant may have ${queuedMax} runs that wait, and these are ${added}.`)
      }
      const last = known.get(tenant)
      const counted = last !== undefined && isBelieved(last, added) ? last : await countOnce(tenant)
      // Between this look and the addition there is no `await`: nobody else slips in.
      if (counted.waiting + added > queuedMax) {
        const message = `The tenant may have ${queuedMax} runs that wait, and has as many, or would have more.`
        throw new LllmError('rate-limited', message, { retryAfterMs: believedMs })
      }
      counted.waiting += added
    },
  }
}
