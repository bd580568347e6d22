import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { createDemoServer } from './demo-server.ts'

/** The demo server over streamable HTTP, on a port of its own of the loopback. */
export async function startHttpServer() {
  let sessions = new Map<string, NodeStreamableHTTPServerTransport>()
  const open = new Set<ServerResponse>()
  const seenAuthorizations = new Set<string | undefined>()

  async function transportOf(request: IncomingMessage) {
    const id = request.headers['mcp-session-id']
    if (id !== undefined) return sessions.get(String(id))
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (newId) => void sessions.set(newId, transport),
      onsessionclosed: (oldId) => void sessions.delete(oldId),
    })
    await createDemoServer().connect(transport)
    return transport
  }

  const server = createServer(async (request, response) => {
    seenAuthorizations.add(request.headers.authorization)
    open.add(response)
    response.on('close', () => open.delete(response))
    const transport = await transportOf(request)
    if (transport === undefined) response.writeHead(404).end()
    else await transport.handleRequest(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seenAuthorizations,
    get sessionCount() {
      return sessions.size
    },
    /** Replies that have not ended, by method of their request. */
    openReplies: (method: string) => [...open].filter(({ req }) => req.method === method).length,
    /** As if the server had been started anew: it knows no session. */
    forgetSessions() {
      sessions = new Map()
    },
    cutConnections: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
