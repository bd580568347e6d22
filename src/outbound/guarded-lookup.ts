import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './public-addresses.ts'

/** The code of the error of a connection that was not made, because of where it would have led. */
export const addressRefused = 'ERR_ADDRESS_REFUSED'

/** An error with this code. */
export function refusedError(message: string): Error {
  return Object.assign(new Error(message), { code: addressRefused })
}

/** Whether this is the error of a connection that was refused, or was caused by one. */
export function isAddressRefused(error: unknown): boolean {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 8; inner = inner.cause, depth++) {
    if ('code' in inner && inner.code === addressRefused) return true
  }
  return false
}

/**
 * Looks a name up for a connection, which is then made to an address that was judged: what the name leads to a moment later changes
 * nothing. Of a name that has an address which may not be reached, none is taken.
 *
 * @param isAllowed Left out: those of the public internet.
 */
export function guardedLookup(resolve: LookupFunction = lookup, isAllowed = isPublicAddress): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '')
      const addresses = Array.isArray(found) ? found : []
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
        return done(refusedError(`${hostname} does not lead to a public address.`), '')
      }
      if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}
