import { AsyncLocalStorage } from 'node:async_hooks'
import type { FetchLike, Transport } from '@modelcontextprotocol/client'
import type { McpServer } from './mcp-config.ts'

/** A message of a server that is larger ends the connection, or the HTTP reply that it is in. */
const messageBytesMax = 4 * 1024 * 1024
/** How soon and how late a stream of notifications that ended is asked for again, whatever the server wishes. */
const resumeDelayMs = { min: 1_000, max: 30_000 }
/** How long a server may take to be told that its session is over. */
const farewellTimeoutMs = 1_000

/** The call that is being sent. Aborting it closes the HTTP reply that it waits for. */
export const currentCall = new AsyncLocalStorage<AbortController>()

/**
 * Makes the way to a server; nothing is started yet. Its `close` may be called again, and resolves when the child process has
 * ended or the sockets are closed.
 */
export async function openTransport(server: McpServer, fetch: FetchLike): Promise<Transport> {
  return server.kind === 'command' ? await openChild(server) : await openHttp(server, fetch)
}

async function openChild({ command, args, env, cwd }: McpServer & { readonly kind: 'command' }): Promise<Transport> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const child = new StdioClientTransport({
    command,
    args,
    env,
    // What the server logs is the operator's only clue when it does not start.
    stderr: 'inherit',
    maxBufferSize: messageBytesMax,
    ...(cwd === undefined ? {} : { cwd }),
  })
  return closedOnce(child, () => StdioClientTransport.prototype.close.call(child))
}

async function openHttp({ url, headers }: McpServer & { readonly kind: 'url' }, fetch: FetchLike): Promise<Transport> {
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const http = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    fetch: bounding(fetch),
    reconnectionScheduler(resume, wishedMs) {
      const timer = setTimeout(resume, Math.min(Math.max(wishedMs, resumeDelayMs.min), resumeDelayMs.max)).unref()
      return () => clearTimeout(timer)
    },
  })
  const { send, close } = StreamableHTTPClientTransport.prototype
  http.send = (message, options) => {
    const call = 'method' in message && 'id' in message ? currentCall.getStore() : undefined
    if (call === undefined) return send.call(http, message, options)
    // A cancelled call is never answered, so its stream would stay open for ever. And a stream that ends without the answer
    // would leave the call waiting for its deadline.
    const onRequestStreamEnd = () => call.abort(new Error('The stream ended.'))
    return send.call(http, message, { ...options, requestSignal: call.signal, onRequestStreamEnd })
  }
  return closedOnce(http, async () => {
    const deadline = setTimeout(() => void close.call(http), farewellTimeoutMs)
    await http.terminateSession().catch(() => {})
    clearTimeout(deadline)
    await close.call(http)
  })
}

/** The SDK's second `close` of a child does not wait for its end when the first one still does. */
function closedOnce(transport: Transport, close: () => Promise<void>): Transport {
  let closed: Promise<void> | undefined
  transport.close = () => {
    closed ??= close()
    return closed
  }
  return transport
}

function bounding(fetch: FetchLike): FetchLike {
  return async (url, init) => {
    const reply = await fetch(url, init)
    return reply.body === null ? reply : new Response(bounded(reply.body), reply)
  }
}

async function* bounded(body: AsyncIterable<Uint8Array<ArrayBuffer>>) {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > messageBytesMax) throw new Error(`The reply is larger than ${messageBytesMax} bytes.`)
    yield chunk
  }
}
