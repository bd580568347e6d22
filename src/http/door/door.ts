import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../domain/caller.ts'
import type { Clock } from '../../domain/clock.ts'
import type { SharedRates } from '../../domain/shared-rates.ts'
import { clientAddress } from './client-address.ts'
import type { DoorSettings } from './door-settings.ts'
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts'
import { createKeyPlaces, type KeyPlaces } from './key-places.ts'
import { createOpenGuard, type OpenGuard } from './open-guard.ts'
import { callerLengthMax, createRateGate } from './rate-gate.ts'
import { createOwnRates } from './request-rates.ts'
import { shareRequestRates } from './shared-request-rates.ts'

/** Says who comes in, and how often, before anything is done for a request. */
export interface Door {
  /**
   * Lets in a request by its address. Throws, or rejects with, an LllmError `rate-limited`.
   */
  admitAddress(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
  /**
   * Lets in a request of somebody who is known: by the limit of his own key, or by `ratePerKey`. Throws, or rejects with, an LllmError
   * `rate-limited`.
   */
  admitCaller(reply: FastifyReply, caller: Caller): void | Promise<void>
  /** For whoever comes while nobody has to say who he is. */
  readonly openGuard: OpenGuard
  /** For whoever presents keys that are none. */
  readonly failures: FailureLimiter
  /** For keys that may have so many calls under way at once. */
  readonly places: KeyPlaces
}

export interface DoorParts {
  readonly settings: DoorSettings
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
    admitCaller(reply, { tenant, keyId, limits: { requestsPerMinute = ratePerKey } }) {
      if (keyId === null || requestsPerMinute === undefined) return
      return byKey.admit(reply, nameOfKey(tenant, keyId), requestsPerMinute)
    },
    openGuard: createOpenGuard(settings),
    failures: createFailureLimiter(clock),
    places: createKeyPlaces(),
  }
}

/** The subjects of tokens may be long, and are only unlike within their tenant. */
function nameOfKey(tenant: string, keyId: string): string {
  const name = `${tenant}:${keyId}`
  return name.length <= callerLengthMax ? name : hash('sha256', name)
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
