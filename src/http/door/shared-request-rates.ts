import type { Clock } from '../../domain/clock.ts'
import { type Gathering, gather } from '../../domain/gather.ts'
import type { SharedRates, Shares } from '../../domain/shared-rates.ts'
import { namesMax, type OwnRates, type RateCount, type RequestRates } from './request-rates.ts'

/** Nobody waits longer than this at the door for what the storage knows. */
const answerMaxMs = 2_000
/** A storage that did not answer is left alone for so long. */
const restMs = 5_000
/** Requests of one name that are counted by one question. */
const gatheredMax = 1_000

export interface SharedRatesParts {
  readonly shared: SharedRates
  /** Counts while the storage does not answer. */
  readonly own: OwnRates
  readonly clock: Clock
}

/**
 * Counts what all processes let in together. The storage is asked once for all requests of a name that come while it answers, and not
 * at all about a name that it has said is used up. While it does not answer, each process counts for itself: the service goes on.
 */
export function shareRequestRates({ shared, own, clock }: SharedRatesParts): RequestRates {
  const asking = new Map<string, Gathering<number, RateCount>>()
  /** When there is room again for names that have none. */
  const usedUp = new Map<string, number>()
  let restsUntilMs = 0

  async function ask(name: string, limits: readonly number[]): Promise<readonly RateCount[]> {
    const perMinute = limits.at(-1) ?? 0
    const tokens = limits.map(() => 0)
    const countOwn = () => limits.map((limit) => own.count(name, limit))
    if (clock.now() < restsUntilMs) return countOwn()
    const request = { rate: name, limits: { requests: perMinute }, queue: 'door', tokens, corrections: [] }
    const answer = await inTime(shared.take(request), clock)
    if (answer === undefined) {
      restsUntilMs = clock.now() + restMs
      return countOwn()
    }
    if (answer.left === 0) note(name, clock.now() + answer.moreMs)
    return tokens.map((_, index) => ({
      allowed: index < answer.granted,
      left: answer.left + Math.max(0, answer.granted - 1 - index),
      moreMs: answer.moreMs,
    }))
  }

  function note(name: string, untilMs: number) {
    usedUp.delete(name)
    usedUp.set(name, untilMs)
    for (const oldest of usedUp.keys()) {
      if (usedUp.size <= namesMax) return
      usedUp.delete(oldest)
    }
  }

  return {
    count(name, perMinute) {
      const moreMs = (usedUp.get(name) ?? 0) - clock.now()
      if (moreMs > 0) return { allowed: false, left: 0, moreMs }
      usedUp.delete(name)
      const gathering = asking.get(name) ?? gather((limits: readonly number[]) => ask(name, limits), gatheredMax)
      asking.set(name, gathering)
      return gathering.add(perMinute).finally(() => {
        if (gathering.waitingCount === 0) asking.delete(name)
      })
    },
  }
}

/** What the storage answers; undefined where it fails, or takes too long. */
async function inTime(answer: Promise<Shares>, clock: Clock): Promise<Shares | undefined> {
  const answered = new AbortController()
  const tooLate = clock.sleep(answerMaxMs, answered.signal).catch(() => undefined)
  try {
    return await Promise.race([answer, tooLate.then(() => undefined)])
  } catch {
    return undefined
  } finally {
    answered.abort()
  }
}
