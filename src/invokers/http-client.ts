import { Agent } from 'undici'
import { HttpExchange } from './http-exchange.ts'
import type { HttpReply } from './http-reply.ts'

/** Sockets to one provider. Calls beyond that wait for a free one. */
const socketsMax = 1024
const connectTimeoutMs = 10_000
/** A model may think for long before it says anything; the call's own signal is the real deadline. */
const headersTimeoutMs = 600_000
/** Between two pieces of a body, while somebody waits for them. */
const idleTimeoutMs = 120_000

export interface HttpClient {
  /**
   * Sends one request and waits for the head of the reply, whatever its status. It follows no redirects and asks for no
   * compression. `headers` are names and values in turn.
   * Rejects with a {@link ProviderError}, or with the reason of `signal`, and then the socket is closed. The signal holds
   * until the body has ended, is drained or is cancelled, one of which has to happen.
   */
  post(url: string, headers: readonly string[], body: string, signal: AbortSignal): Promise<HttpReply>
  /** Closes all sockets at once. */
  close(): Promise<void>
}

/**
 * Makes an HTTP client with a socket pool of its own.
 *
 * It goes below `fetch`, to undici's dispatcher, because it is on the path of every model call: fetch takes more time than
 * everything else that the service does for a call.
 */
export function createHttpClient(limits: { readonly idleTimeoutMs: number } = { idleTimeoutMs }): HttpClient {
  const agent = new Agent({
    connections: socketsMax,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: headersTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
    // Aborting has to close the socket: that is what tells a provider to stop working. HTTP/2 would share it.
    allowH2: false,
  })
  let target: ReturnType<typeof readTarget> | undefined
  return {
    post: (url, headers, body, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        // One request after another goes to the same place, and it takes longer to read an address than to compare it.
        if (target?.url !== url) target = readTarget(url)
        const { origin, path } = target
        const request = { origin, path, method: 'POST', headers: headers as string[], body }
        agent.dispatch(request, new HttpExchange(url, signal, resolve, reject))
      }),
    close: () => agent.destroy(),
  }
}

function readTarget(url: string) {
  const { origin, pathname, search } = new URL(url)
  return { url, origin, path: pathname + search }
}
