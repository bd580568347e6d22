import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { type WireMessage, wireText } from './provider-wire.ts'

/** A request as the provider got it. */
export interface ProviderRequest {
  /** Position among all requests, from 0. */
  readonly index: number
  /** `/v1/chat/completions` or `/v1/responses`. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Tells connections apart. */
  readonly clientPort: number
  /** The body as it came, and what JSON.parse made of it (`{}` where it is not JSON). */
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
  readonly model: string
  /** The messages (chat) or input items (responses). */
  readonly messages: readonly WireMessage[]
  /** The text of the last message. */
  readonly lastText: string
  /** The names of the tools that are offered. */
  readonly toolNames: readonly string[]
}

/** Reads a request to its end. */
export async function readRequest(incoming: IncomingMessage, nextIndex: () => number): Promise<ProviderRequest> {
  const text = await readText(incoming)
  const body = parseObject(text)
  const messages = (body['messages'] ?? body['input'] ?? []) as readonly WireMessage[]
  const tools = (body['tools'] ?? []) as readonly {
    readonly name?: string
    readonly function?: { readonly name: string }
  }[]
  const last = messages.at(-1)
  return {
    index: nextIndex(),
    path: incoming.url ?? '',
    headers: incoming.headers,
    clientPort: incoming.socket.remotePort ?? 0,
    text,
    body,
    model: String(body['model']),
    messages,
    lastText: last === undefined ? '' : wireText(last),
    toolNames: tools.map((tool) => tool.function?.name ?? tool.name ?? ''),
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
