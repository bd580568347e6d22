import { BlockList, isIPv6 } from 'node:net'
import { bareAddress } from './client-address.ts'

/** What the names of networks stand for, as Fastify has it. */
const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Says whether an address is one of the proxies that `trustProxy` names.
 *
 * @param trustProxy Addresses, networks in CIDR notation, and names of networks, separated by commas.
 */
export function trustedProxies(trustProxy: string | undefined): (address: string) => boolean {
  if (trustProxy === undefined) return () => false
  const proxies = new BlockList()
  for (const network of trustProxy.split(',').flatMap((name) => namedNetworks[name] ?? [name])) {
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    if (bits === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(bits), family)
  }
  return (address) => {
    const bare = bareAddress(address)
    return proxies.check(bare, familyOf(bare))
  }
}

function familyOf(address: string) {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
