import { expect, test } from 'vitest'
import { trustedProxies } from '../../../src/http/door/trusted-proxies.ts'

test.each([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['192.0.2.1,2001:db8::/32', '192.0.2.1', true],
  ['192.0.2.1,2001:db8::/32', '192.0.2.2', false],
  ['192.0.2.1,2001:db8::/32', '2001:db8:1::7', true],
  ['loopback', '127.0.0.1', true],
  ['loopback', '::1', true],
  ['loopback', '192.168.0.1', false],
  ['linklocal,uniquelocal', 'fe80::1%eth0', true],
  ['linklocal,uniquelocal', '192.168.0.1', true],
  ['linklocal,uniquelocal', '127.0.0.1', false],
  [undefined, '127.0.0.1', false],
])('of the proxies %j, %s is one: %s', (trustProxy, address, expected) => {
  expect(trustedProxies(trustProxy)(address)).toBe(expected)
})
