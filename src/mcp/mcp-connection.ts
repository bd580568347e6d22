import type { CallToolResult, FetchLike } from '@modelcontextprotocol/client'
import { z } from 'zod'
import type { JsonObject } from '../domain/json.ts'
import { openStopScope } from '../domain/stop.ts'
import type { McpServer } from './mcp-config.ts'
import { currentCall, openTransport } from './mcp-transport.ts'

const connectTimeoutMs = 10_000
/** For all pages together. */
const listTimeoutMs = 10_000
/** The call's own signal is the real deadline. */
const callTimeoutMs = 300_000
/** What a server offers beyond that is left out. */
const toolsMax = 500
const pagesMax = 100

// Servers of every age answer `initialize`. The newer handshake would start each child process twice.
const handshake = { mode: 'legacy' } as const
/** Servers log it, nothing more. */
const clientInfo = { name: 'lllm', version: '1' }

/** A page is read without judging its tools: one that is malformed does not take the others with it. */
const toolsPage = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().optional() })

/** What came of a tool call: its result, or the server's own words on why there is none. */
export type ToolAnswer =
  | { readonly ok: true; readonly result: CallToolResult }
  | { readonly ok: false; readonly reason: string }

/** Methods reject with whatever the SDK throws when there is no answer. Then the connection is not to be used again. */
export interface McpConnection {
  listTools(): Promise<readonly unknown[]>
  callTool(name: string, args: JsonObject, signal: AbortSignal): Promise<ToolAnswer>
  /** Resolves when the child process has ended, or the sockets are closed. */
  close(): Promise<void>
}

interface Listener {
  onToolsChanged(): void
  onLost(): void
}

/** Connects to a server. When it rejects, nothing is left of the attempt. */
export async function connect(
  server: McpServer,
  fetch: FetchLike,
  signal: AbortSignal,
  listener: Listener,
): Promise<McpConnection> {
  const [{ Client, ProtocolError }, transport] = await Promise.all([
    import('@modelcontextprotocol/client'),
    openTransport(server, fetch),
  ])
  signal.throwIfAborted()
  const client = new Client(clientInfo, { versionNegotiation: handshake })
  const scope = openStopScope([signal], connectTimeoutMs)
  scope.signal.addEventListener('abort', () => void transport.close())
  try {
    await client.connect(transport)
  } catch (error) {
    await transport.close()
    throw error
  } finally {
    scope.dispose()
  }
  client.onclose = listener.onLost
  client.setNotificationHandler('notifications/tools/list_changed', listener.onToolsChanged)

  return {
    async listTools() {
      if (client.getServerCapabilities()?.tools === undefined) return []
      const tools: unknown[] = []
      const deadline = { signal: AbortSignal.timeout(listTimeoutMs) }
      let cursor: string | undefined
      for (let page = 0; page < pagesMax && tools.length < toolsMax; page++) {
        const params = cursor === undefined ? {} : { cursor }
        const listed = await client.request({ method: 'tools/list', params }, toolsPage, deadline)
        for (const tool of listed.tools.slice(0, toolsMax - tools.length)) tools.push(tool)
        cursor = listed.nextCursor
        if (cursor === undefined) break
      }
      return tools
    },
    async callTool(name, args, callSignal) {
      callSignal.throwIfAborted()
      const call = new AbortController()
      const onAbort = () => call.abort(callSignal.reason)
      callSignal.addEventListener('abort', onAbort, { once: true })
      const request = { method: 'tools/call', params: { name, arguments: args } } as const
      const options = { signal: call.signal, timeout: callTimeoutMs }
      try {
        return { ok: true, result: await currentCall.run(call, () => client.request(request, options)) }
      } catch (error) {
        call.abort()
        if (error instanceof ProtocolError) return { ok: false, reason: error.message }
        throw error
      } finally {
        callSignal.removeEventListener('abort', onAbort)
      }
    },
    close: () => transport.close(),
  }
}
