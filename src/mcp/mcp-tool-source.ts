import { LllmError, listKnown } from '../domain/errors.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import type { McpConfig } from './mcp-config.ts'
import { McpServerLink } from './mcp-server-link.ts'

/**
 * Makes the tools of MCP servers available. Nothing is loaded, started or connected before the first use of a server, and then
 * once for all calls. A tool that was handed out stays good: when its server was lost meanwhile, it connects again.
 */
export function createMcpToolSource(config: McpConfig): ToolSource {
  const links = new Map([...config].map(([name, server]) => [name, new McpServerLink(name, server)]))
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
    },
  }
}
