import type { FetchLike } from '@modelcontextprotocol/client'
import { LllmError } from '../domain/errors.ts'
import type { Tool } from '../domain/tool.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import { isAddressRefused } from '../outbound/guarded-lookup.ts'
import type { McpServer } from './mcp-config.ts'
import { connect, type McpConnection } from './mcp-connection.ts'
import { toTools } from './mcp-tool.ts'

/** What is shared by all calls that use one server: its connection, made on first use and again after it was lost. */
export class McpServerLink {
  readonly #name: string
  readonly #server: McpServer
  readonly #fetch: FetchLike
  readonly #closing = new AbortController()
  readonly #farewells = new Set<Promise<void>>()
  #connection: Promise<McpConnection> | undefined
  #tools: Promise<readonly Tool[]> | undefined

  constructor(name: string, server: McpServer, fetch: FetchLike) {
    this.#name = name
    this.#server = server
    this.#fetch = fetch
  }

  /** Rejects with an LllmError `provider-failed`, or with the reason of the signal. */
  async tools(signal: AbortSignal): Promise<readonly Tool[]> {
    signal.throwIfAborted()
    const tools = this.#tools ?? this.#listTools()
    this.#tools = tools
    return await untilAborted(() => tools, signal)
  }

  /** Closes the connection, one that is just being made too. */
  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#connection !== undefined) this.#leave(this.#connection)
    await Promise.all(this.#farewells)
  }

  #listTools(): Promise<readonly Tool[]> {
    const listed = this.#use((connection) => connection.listTools(), this.#closing.signal).then((offered) =>
      toTools(this.#name, offered, (tool, args, signal) =>
        this.#use((connection) => connection.callTool(tool, args, signal), signal),
      ),
    )
    listed.catch(() => {
      if (this.#tools === listed) this.#tools = undefined
    })
    return listed
  }

  async #use<Answer>(
    ask: (connection: McpConnection) => Promise<Answer>,
    signal: AbortSignal,
    isRetry = false,
  ): Promise<Answer> {
    this.#refuseIfClosed()
    signal.throwIfAborted()
    const known = this.#connection
    const current = known ?? this.#connect()
    try {
      return await ask(await untilAborted(() => current, signal))
    } catch (cause) {
      this.#refuseIfClosed()
      signal.throwIfAborted()
      this.#leave(current)
      // A server that was started anew does not know our session, and says so before it does anything.
      if (!isRetry && known !== undefined && isSessionUnknown(cause)) return await this.#use(ask, signal, true)
      const what = isAddressRefused(cause)
        ? 'leads to an address that is not public, and that LLLM_OUTBOUND_ALLOW does not name'
        : 'cannot be reached, or does not keep to the protocol'
      const message = `The MCP server "${this.#name}" ${what}.`
      throw new LllmError('provider-failed', message, {}, { cause })
    }
  }

  #refuseIfClosed(): void {
    if (this.#closing.signal.aborted) throw new LllmError('draining', 'The service is shutting down.')
  }

  #connect(): Promise<McpConnection> {
    const connection = connect(this.#server, this.#fetch, this.#closing.signal, {
      onToolsChanged: () => {
        if (this.#connection === connection) this.#tools = undefined
      },
      onLost: () => this.#forget(connection),
    })
    this.#connection = connection
    return connection
  }

  #leave(connection: Promise<McpConnection>): void {
    this.#forget(connection)
    const farewell = connection.then(
      ({ close }) => close(),
      () => {},
    )
    this.#farewells.add(farewell)
    void farewell.finally(() => this.#farewells.delete(farewell))
  }

  #forget(connection: Promise<McpConnection>): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#tools = undefined
  }
}

/** Streamable HTTP: "When a client receives HTTP 404 in response to a request, it MUST start a new session". */
function isSessionUnknown(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 404
}
