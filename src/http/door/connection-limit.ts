import type { Server, Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../domain/clock.ts'
import { networkOf } from './client-address.ts'
import type { ListenerSettings } from './door-settings.ts'
import { trustedProxies } from './trusted-proxies.ts'

/** A crowd that comes again and again is told of no more often. */
const toldEveryMs = 60_000

interface LimitParts {
  readonly settings: Pick<ListenerSettings, 'connectionsPerAddress' | 'trustProxy'>
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Pick<FastifyBaseLogger, 'warn'>
}

/** Closes the connections of an address beyond those that it may have at once, so that nobody takes all that there are. */
export function limitConnections(server: Server, { settings, clock, logger }: LimitParts): void {
  const { connectionsPerAddress, trustProxy } = settings
  const isProxy = trustedProxies(trustProxy)
  /** Of addresses that have connections. */
  const counts = new Map<string, number>()
  let toldAtMs = Number.NEGATIVE_INFINITY

  const tell = (address: string) => {
    const nowMs = clock.now()
    if (Math.abs(nowMs - toldAtMs) < toldEveryMs) return
    toldAtMs = nowMs
    logger.warn(
      { address, connections: connectionsPerAddress },
      'an address has as many connections as LLLM_CONNECTIONS_PER_ADDRESS allows: more of it are closed. If it is a proxy, name it in LLLM_TRUST_PROXY',
    )
  }
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // Whoever has no address is gone already, or did not come by a network.
    if (remoteAddress === undefined || isProxy(remoteAddress)) return
    const address = networkOf(remoteAddress)
    const count = counts.get(address) ?? 0
    if (count >= connectionsPerAddress) {
      socket.destroy()
      return tell(address)
    }
    counts.set(address, count + 1)
    socket.once('close', () => {
      const left = (counts.get(address) ?? 1) - 1
      if (left === 0) counts.delete(address)
      else counts.set(address, left)
    })
  })
}
