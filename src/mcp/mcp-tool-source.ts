import { LllmError, listKnown } from '../domain/errors.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import { createGuardedFetch } from '../outbound/guarded-fetch.ts'
import type { OutboundRules } from '../outbound/judge-address.ts'
import type { McpConfig } from './mcp-config.ts'
import { McpServerLink } from './mcp-server-link.ts'

/** Sockets to one server. Each call that is under way has one, and so has each stream of notifications. */
const connections = 256
const connectTimeoutMs = 10_000
/** A stream of notifications may be silent for long. Calls have deadlines of their own. */
const answerMaxMs = 300_000

/**
 * Makes the tools of MCP servers available. Nothing is loaded, started or connected before the first use of a server, and then
 * once for all calls. Servers that have a URL are reached as far as the rules allow. A tool that was handed out stays good: when its server was lost meanwhile, it connects again.
 */
export function createMcpToolSource(config: McpConfig, rules: OutboundRules): ToolSource {
  const { fetch, close } = createGuardedFetch(rules, { connections, connectTimeoutMs, answerMaxMs })
  const links = new Map([...config].map(([name, server]) => [name, new McpServerLink(name, server, fetch)]))
  const servers = [...links.keys()]
  return {
    servers,
    async tools(server, signal) {
      const link = links.get(server)
      if (link !== undefined) return await link.tools(signal)
      const message = `There is no MCP server "${server}" in the settings. ${listKnown(server, servers)}`
      throw new LllmError('invalid-settings', message, { known: servers })
    },
    async close() {
      await Promise.all([...links.values()].map((link) => link.close()))
      await close()
    },
  }
}
