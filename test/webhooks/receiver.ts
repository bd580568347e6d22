import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: readonly ReceivedWebhook[]
  /** Resolves as soon as this many have arrived. */
  until(count: number): Promise<readonly ReceivedWebhook[]>
}

/** A receiver of webhooks on a real socket. What it answers is told by the test; nothing more comes of a request that is not answered. */
export async function openReceiver(
  answer: (response: ServerResponse, index: number) => void = (response) => void response.writeHead(204).end(),
): Promise<Receiver> {
  const received: ReceivedWebhook[] = []
  const waiting = new Set<() => void>()
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    received.push({ headers: request.headers, body: Buffer.concat(pieces).toString() })
    for (const wake of waiting) wake()
    answer(response, received.length - 1)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    until: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return
          waiting.delete(look)
          resolve(received)
        }
        waiting.add(look)
        look()
      }),
  }
}
