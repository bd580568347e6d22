import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './public-addresses.ts'

/** The code of the error of a connection that was not made, because of where it would have led. */
export const addressRefused = 'ERR_ADDRESS_REFUSED'

/**
 * Looks a name up for a connection, which is then made to an address that was judged: what the name leads to a moment later changes
 * nothing. Of a name that has an address which is not public, none is taken.
 */
export function guardedLookup(resolve: LookupFunction = lookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '')
      const addresses = Array.isArray(found) ? found : []
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        const refusal = new Error(`${hostname} does not lead to a public address.`)
        return done(Object.assign(refusal, { code: addressRefused }), '')
      }
      if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}
