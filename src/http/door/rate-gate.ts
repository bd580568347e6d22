import type { FastifyReply } from 'fastify'
import { LllmError } from '../../domain/errors.ts'
import type { RateCount, RequestRates } from './request-rates.ts'

/** So that it fits into the name of a rate. */
export const callerLengthMax = 80

/** What a limit is for, as `RateLimit-Policy` names it. */
export type RatePolicy = 'address' | 'key'

/** Lets in as many requests of each caller as its limit has, and tells all of them how many are left. */
export interface RateGate {
  /**
   * Counts a request, and tells the reply what is left, as draft-ietf-httpapi-ratelimit-headers-10 says.
   *
   * Throws, or rejects with, an LllmError `rate-limited`.
   *
   * @param caller Up to {@link callerLengthMax} characters.
   * @param perMinute Requests that the caller may send in any 60 seconds.
   */
  admit(reply: FastifyReply, caller: string, perMinute: number): void | Promise<void>
}

const whose: Readonly<Record<RatePolicy, string>> = { address: 'this address', key: 'this key' }

export function createRateGate(policy: RatePolicy, rates: RequestRates): RateGate {
  const judge = (reply: FastifyReply, perMinute: number, { allowed, left, moreMs }: RateCount) => {
    const seconds = Math.max(1, Math.ceil(moreMs / 1_000))
    addItem(reply, 'ratelimit-policy', `"${policy}";q=${perMinute};w=60`)
    addItem(reply, 'ratelimit', `"${policy}";r=${left};t=${seconds}`)
    if (allowed) return
    throw new LllmError(
      'rate-limited',
      `More requests came from ${whose[policy]} than the ${perMinute} that it may send in a minute.`,
      { retryAfterMs: seconds * 1_000 },
    )
  }
  return {
    admit(reply, caller, perMinute) {
      const count = rates.count(`door:${policy}:${caller}`, perMinute)
      if (!(count instanceof Promise)) return judge(reply, perMinute, count)
      return count.then((counted) => judge(reply, perMinute, counted))
    },
  }
}

/** Both are lists: where two limits hold, both are told. */
function addItem(reply: FastifyReply, header: string, item: string) {
  const told = reply.getHeader(header)
  reply.header(header, told === undefined ? item : `${told}, ${item}`)
}
