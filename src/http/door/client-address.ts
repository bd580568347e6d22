import { isIP, isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** Whoever has one IPv6 address has, as a rule, all that begin with the same 64 bits. */
const networkGroups = 4
const mappedPrefix = /^::ffff:(?=\d+\.)/i

/** What clients are counted by: an IPv4 address, or the network of an IPv6 address as `2001:db8:0:1::/64`. Never empty. */
export function clientAddress({ ip, raw }: Pick<FastifyRequest, 'ip' | 'raw'>): string {
  // A proxy that is trusted may still pass on what a client made up.
  const told = withoutPort(ip ?? '')
  const address = isIP(told) === 0 ? (raw.socket.remoteAddress ?? '') : told
  return networkOf(address) || 'unknown'
}

/** The address itself for IPv4, also where it is written as IPv6, and the network of 64 bits for IPv6. */
export function networkOf(address: string): string {
  const bare = bareAddress(address)
  if (isIP(bare) === 0 || isIPv4(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  // The last 32 bits may be written as IPv4: that are two groups, and none of the first four where `::` is.
  const width = 8 - (bare.includes('.') ? 1 : 0)
  const missing = tail === undefined ? 0 : Math.max(0, width - left.length - right.length)
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right]
  const network = groups.slice(0, networkGroups).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}

/** An address without its zone; one of IPv4 as such, also where it is written as IPv6. */
export function bareAddress(address: string): string {
  return address.replace(mappedPrefix, '').replace(/%.*$/, '')
}

function groupsOf(part: string): readonly string[] {
  return part === '' ? [] : part.split(':')
}

/** Some proxies tell the port as well. */
function withoutPort(text: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
}
