import type { FastifyRequest } from 'fastify'
import { LllmError } from '../../domain/errors.ts'
import { clientAddress } from './client-address.ts'
import type { OwnRates } from './request-rates.ts'

/** Failures that each address may have in any 60 seconds, in each process. Nobody guesses a key at this rate. */
export const failuresPerMinuteMax = 20

/** Keeps whoever guesses from trying for ever, before anything that costs is done about the next try. */
export interface FailureLimiter {
  /** @throws LllmError `rate-limited` when the address of the request has failed too often. */
  check(request: FastifyRequest): void
  /** Notes that the request has failed. */
  note(request: FastifyRequest): void
}

/** @param what Has failures of its own: those of one thing do not count for another. */
export function createFailureLimiter(what: string, rates: OwnRates): FailureLimiter {
  const nameOf = (request: FastifyRequest) => `door:${what}:${clientAddress(request)}`
  return {
    check(request) {
      const { allowed, moreMs } = rates.look(nameOf(request), failuresPerMinuteMax)
      if (allowed) return
      throw new LllmError('rate-limited', 'This address has failed too often; it may try again later.', {
        retryAfterMs: Math.max(1_000, moreMs),
      })
    },
    note(request) {
      rates.count(nameOf(request), failuresPerMinuteMax)
    },
  }
}
