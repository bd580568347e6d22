import { BlockList, isIP } from 'node:net'

/** What the operator allows to be reached beside the public internet. */
export interface AllowList {
  /** Whether a host is named, by itself or with its port. A host that is named may lead anywhere. */
  hasHost(hostname: string, port: number): boolean
  /** Whether an IP address is named, or is in a network that is. */
  hasAddress(address: string): boolean
}

export const emptyAllowList: AllowList = { hasHost: () => false, hasAddress: () => false }

/** A name, or an address of IPv4; or an address of IPv6, in brackets where a port follows. */
const hostPattern = /^([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i

/**
 * Reads entries such as `mcp.internal`, `mcp.internal:8080`, `10.1.2.3`, `[fd00::1]:8080` and `10.0.0.0/8`.
 *
 * @returns Undefined when one of them is none of these.
 */
export function readAllowList(entries: readonly string[]): AllowList | undefined {
  if (entries.length === 0) return emptyAllowList
  const hosts = new Set<string>()
  const networks = new BlockList()
  for (const entry of entries) {
    const isRead = entry.includes('/') ? addNetwork(networks, entry) : addHost(hosts, networks, entry)
    if (!isRead) return undefined
  }
  return {
    hasHost: (hostname, port) => hosts.has(plainHost(hostname)) || hosts.has(`${plainHost(hostname)}:${port}`),
    hasAddress(address) {
      const version = isIP(address)
      return version !== 0 && networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** A host as it is compared: without brackets, the dot of its root, and capital letters. */
export function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
}

function addNetwork(networks: BlockList, entry: string): boolean {
  const [address = '', prefix = ''] = entry.split('/', 2)
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  if (version === 0 || entry.split('/').length !== 2 || !/^\d{1,3}$/.test(prefix)) return false
  // A network of no bits is everything: whoever wants that has no use for a list.
  if (Number(prefix) < 1 || Number(prefix) > bits) return false
  networks.addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6')
  return true
}

function addHost(hosts: Set<string>, networks: BlockList, entry: string): boolean {
  const version = isIP(entry)
  if (version !== 0) {
    networks.addAddress(entry, version === 4 ? 'ipv4' : 'ipv6')
    hosts.add(plainHost(entry))
    return true
  }
  const [, host, port] = hostPattern.exec(entry) ?? []
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return false
  hosts.add(port === undefined ? plainHost(host) : `${plainHost(host)}:${Number(port)}`)
  return true
}
