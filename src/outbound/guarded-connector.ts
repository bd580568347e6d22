import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { guardedLookup, refusedError } from './guarded-lookup.ts'
import { isLookedInto, judgeAddress, type OutboundRules } from './judge-address.ts'
import { isPublicAddress } from './public-addresses.ts'

export interface ConnectorOptions {
  readonly timeoutMs: number
  /** In the place of the system's. */
  readonly lookup?: LookupFunction
}

/**
 * Makes connections for an undici dispatcher, and none to where the rules do not allow it: each is judged when it is made, whatever
 * led to it, also a redirect or a name that leads elsewhere than before. HTTP/2 is not spoken: aborting has to close the socket.
 */
export function guardedConnector(
  rules: OutboundRules,
  { timeoutMs, lookup }: ConnectorOptions,
): buildConnector.connector {
  const isAllowed = (address: string) => isPublicAddress(address) || rules.allowed.hasAddress(address)
  const common = { timeout: timeoutMs, allowH2: false }
  // The system's types want a port, which comes with each connection.
  const looking = (found: LookupFunction) => ({ ...common, lookup: found }) as buildConnector.BuildOptions
  const guarded = buildConnector(looking(guardedLookup(lookup, isAllowed)))
  const free = buildConnector(lookup === undefined ? common : looking(lookup))

  return (target, done) => {
    const url = urlOf(target)
    const refusal = judgeAddress(url, rules)
    if (refusal !== undefined) return void done(refusedError(`The address of ${url.host} ${refusal}.`), null)
    return (isLookedInto(url, rules) ? guarded : free)(target, done)
  }
}

function urlOf({ protocol, hostname, port }: buildConnector.Options): URL {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
  return new URL(`${protocol}//${host}${port === '' ? '' : `:${port}`}`)
}
