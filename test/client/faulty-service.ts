import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server that answers as a test says, on a real socket. It keeps what it was sent, and is closed after the test. */
export async function openFaulty(answer: (reply: ServerResponse, received: Received) => void | Promise<void>) {
  const received: Received[] = []
  let closedEarly = 0
  const server = createServer(async (request, reply) => {
    const { method, url, headers } = request
    const asked = { method, url, headers, body: await text(request) }
    received.push(asked)
    reply.once('close', () => {
      if (!reply.writableEnded) closedEarly++
    })
    await answer(reply, asked)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    /** Answers whose reader went away before their end. */
    closedEarly: () => closedEarly,
  }
}

/** Answers with JSON. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) {
  return (reply: ServerResponse) => {
    reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
  }
}

/** Sends some text of an answer and cuts the socket, or ends it as if that were all. */
export function breaksOff(contentType: string, begun: string, how: 'cut' | 'end') {
  return (reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': contentType })
    reply.write(begun, () => (how === 'cut' ? reply.destroy() : reply.end()))
  }
}
