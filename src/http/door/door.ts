import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../domain/clock.ts'
import type { SharedRates } from '../../domain/shared-rates.ts'
import { clientAddress } from './client-address.ts'
import type { DoorSettings } from './door-settings.ts'
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts'
import { createRateGate } from './rate-gate.ts'
import { createOwnRates } from './request-rates.ts'
import { shareRequestRates } from './shared-request-rates.ts'

/** Says who comes in, and how often, before anything is done for a request. */
export interface Door {
  /**
   * Lets in a request by its address. Throws, or rejects with, an LllmError `rate-limited`.
   */
  admitAddress(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
  /**
   * Lets in a request of somebody who is known, such as by the id of a key. Throws, or rejects with, an LllmError `rate-limited`.
   *
   * @param caller Up to 80 characters.
   * @param perMinute What this caller may send in any 60 seconds. Default: `ratePerKey`, and without it no limit.
   */
  admitCaller(reply: FastifyReply, caller: string, perMinute?: number): void | Promise<void>
  /** For whoever presents keys that are none. */
  readonly failures: FailureLimiter
}

export interface DoorParts {
  readonly settings: Pick<DoorSettings, 'ratePerAddress' | 'ratePerKey'>
  readonly clock: Clock
  /** Counts what all processes let in together. Left out: each counts for itself. */
  readonly rates?: SharedRates | undefined
}

export function createDoor({ settings, clock, rates: shared }: DoorParts): Door {
  const { ratePerAddress, ratePerKey } = settings
  const own = createOwnRates(clock)
  const rates = shared === undefined ? own : shareRequestRates({ shared, own, clock })
  const byAddress = createRateGate('address', rates)
  const byKey = createRateGate('key', rates)
  return {
    admitAddress(request, reply) {
      if (ratePerAddress === undefined) return
      return byAddress.admit(reply, clientAddress(request), ratePerAddress)
    },
    admitCaller(reply, caller, perMinute = ratePerKey) {
      if (perMinute === undefined) return
      return byKey.admit(reply, caller, perMinute)
    },
    failures: createFailureLimiter('failures', own),
  }
}

/** Counts the requests of each address, if there is a limit for them. Probes are not counted. */
export function limitAddresses(server: FastifyInstance, { ratePerAddress }: DoorSettings, door: Door): void {
  if (ratePerAddress === undefined) return
  server.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.isProbe === true) return done()
    let admitted: void | Promise<void>
    try {
      admitted = door.admitAddress(request, reply)
    } catch (error) {
      return done(error as Error)
    }
    if (admitted === undefined) return done()
    admitted.then(() => done(), done)
  })
}
