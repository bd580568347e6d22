import { isIP } from 'node:net'
import { type AllowList, plainHost } from './allow-list.ts'
import { isLoopbackAddress, isPublicAddress } from './public-addresses.ts'

/**
 * How far requests may go that this service makes, beside to what is allowed by name:
 *
 * - `public`: by https to the public internet. For addresses that callers give.
 * - `loopback`: so, and by http to this host itself, where it is named as such. For those of the operator and of authors.
 * - `anywhere`
 */
export type OutboundReach = 'public' | 'loopback' | 'anywhere'

export interface OutboundRules {
  readonly reach: OutboundReach
  readonly allowed: AllowList
}

/** Says why requests may not be sent to an address; undefined: they may, as far as its form tells. Names are judged when they are looked up. */
export function judgeAddress(url: URL, { reach, allowed }: OutboundRules): string | undefined {
  const { protocol, hostname } = url
  const isHttp = protocol === 'http:'
  if (reach === 'anywhere') return isHttp || protocol === 'https:' ? undefined : 'must be an http or https URL'
  if (!isHttp && protocol !== 'https:') return 'must be an https URL'
  const address = plainHost(hostname)
  if (allowed.hasHost(hostname, portOf(url)) || allowed.hasAddress(address)) return undefined
  if (reach === 'loopback' && isThisHost(address)) return undefined
  if (isHttp) return 'must be an https URL'
  const isPublic = isIP(address) === 0 ? !isThisHost(address) : isPublicAddress(address)
  return isPublic ? undefined : 'must lead to a public address, not to one of a private network or of this host'
}

/** Whether what a host leads to is to be judged when it is known. */
export function isLookedInto(url: URL, { reach, allowed }: OutboundRules): boolean {
  if (reach === 'anywhere' || allowed.hasHost(url.hostname, portOf(url))) return false
  return !(reach === 'loopback' && isThisHost(plainHost(url.hostname)))
}

export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port)
}

/** By name, too: what a resolver would say, but there is nothing to wait for. */
function isThisHost(host: string): boolean {
  return isLoopbackAddress(host) || /(?:^|\.)localhost$/.test(host)
}
