import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { LllmError } from '../../domain/errors.ts'
import { clientAddress } from './client-address.ts'
import type { OwnRates } from './request-rates.ts'

/** Failures that each address may have in any 60 seconds, in each process. Nobody guesses a key at this rate. */
export const failuresPerMinuteMax = 20
/** Credentials that are known to have been good. Of more, the one that was not used for the longest is forgotten. */
const knownMax = 10_000

/**
 * Keeps whoever guesses from trying for ever, before anything is looked up for the next try. A credential that was good before is let through:
 * where many come from one address, as behind a proxy, one who guesses must not lock the others out.
 */
export interface FailureLimiter {
  /** @throws LllmError `rate-limited` when the address of the request has failed too often. */
  check(request: FastifyRequest, credential: string): void
  /** Notes that the credential of the request was nobody's. */
  failed(request: FastifyRequest): void
  /** Notes that a credential was good. */
  succeeded(credential: string): void
}

export function createFailureLimiter(rates: OwnRates): FailureLimiter {
  /** Hashes, in the order of their last use: nothing of a key is kept here. */
  const known = new Set<string>()
  const nameOf = (request: FastifyRequest) => `door:failures:${clientAddress(request)}`

  return {
    check(request, credential) {
      const { allowed, moreMs } = rates.look(nameOf(request), failuresPerMinuteMax)
      if (allowed || known.has(fingerprint(credential))) return
      throw new LllmError('rate-limited', 'Too many keys from this address were refused; it may try again later.', {
        retryAfterMs: Math.max(1_000, moreMs),
      })
    },
    failed(request) {
      rates.count(nameOf(request), failuresPerMinuteMax)
    },
    succeeded(credential) {
      const print = fingerprint(credential)
      known.delete(print)
      known.add(print)
      const [oldest] = known
      if (known.size > knownMax && oldest !== undefined) known.delete(oldest)
    },
  }
}

function fingerprint(credential: string): string {
  return hash('sha256', credential, 'base64')
}
