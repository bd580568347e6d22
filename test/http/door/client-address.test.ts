import { expect, test } from 'vitest'
import { clientAddress, networkOf } from '../../../src/http/door/client-address.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8::2:3:4:5:6', '2001:db8:0:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['nothing', ''],
])('%s is counted as %j', (address, expected) => {
  expect(isThere(networkOf(address))).toBe(expected)
})

/** What is no address is nothing that could be counted. */
function isThere(network: string): string {
  return /^[\da-f.:]+(\/64)?$/.test(network) ? network : ''
}

test.each([
  ['what a proxy told', '192.0.2.7', '10.0.0.1', '192.0.2.7'],
  ['what a proxy told with a port', '192.0.2.7:4711', '10.0.0.1', '192.0.2.7'],
  ['an IPv6 address with a port', '[2001:db8::1]:443', '10.0.0.1', '2001:db8:0:0::/64'],
  ['the proxy, where it passed on what is no address', 'unknown, <script>', '10.0.0.1', '10.0.0.1'],
  ['nobody, where there is no address at all', undefined, undefined, 'unknown'],
])('a client is %s', (_what, ip, remoteAddress, expected) => {
  const request = { ip, raw: { socket: { remoteAddress } } } as unknown as Parameters<typeof clientAddress>[0]
  expect(clientAddress(request)).toBe(expected)
})
