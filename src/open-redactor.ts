import { createRedactor, type Redactor } from './domain/redact.ts'
import { readMcpFile } from './load-house.ts'
import type { McpConfig, McpServer } from './mcp/mcp-config.ts'
import type { Settings } from './settings.ts'

const secretHeader = /auth|cookie|key|secret|token/i
const secretVariable = /auth|credential|key|passw|secret|token/i

/**
 * What takes the secrets of the settings out of texts: those of variables, and those in the file of MCP servers.
 *
 * @throws LllmError `invalid-settings` when that file cannot be read.
 */
export async function openRedactor(
  settings: Pick<Settings, 'secrets' | 'mcpFile' | 'outboundAllow'>,
): Promise<Redactor> {
  return createRedactor([...settings.secrets, ...secretsOf(await readMcpFile(settings))])
}

function secretsOf(servers: McpConfig = new Map()): readonly string[] {
  return [...servers.values()].flatMap(secretsOfServer).flatMap((value) => {
    const [, token] = /^[A-Za-z]+ (\S+)$/.exec(value) ?? []
    return token === undefined ? [value] : [value, token]
  })
}

function secretsOfServer(server: McpServer): readonly string[] {
  const [values, isSecret] =
    server.kind === 'url' ? ([server.headers, secretHeader] as const) : ([server.env, secretVariable] as const)
  return Object.entries(values).flatMap(([name, value]) => (isSecret.test(name) ? [value] : []))
}
