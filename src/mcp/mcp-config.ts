import { z } from 'zod'
import { LllmError } from '../domain/errors.ts'
import { jsonPointer } from '../domain/json.ts'
import { headerNamePattern, headerValuePattern } from '../domain/service-url.ts'

/** At most this many mistakes of the file are told at once. */
const issuesMax = 10

/**
 * Tools are offered as `<server>__<tool>`. Without `__` inside it or `_` at its end, a server's name says which server a tool
 * is of, and no server can offer a tool under the name of another's.
 */
const serverName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]|_(?=[a-z0-9-])){0,31}$/,
    'A name has 1 to 32 characters of a-z, 0-9, - and _, begins with a letter or digit, and has no __ in it and no _ at its end',
  )

const headerName = z.string().regex(headerNamePattern, 'This is no name of an HTTP header')
const headerValue = z.string().regex(headerValuePattern, 'A header is one line of Latin-1')

const commandServer = z.strictObject({
  kind: z.literal('command'),
  type: z.literal('stdio').optional(),
  command: z.string('A server has either a command to start it or a url to reach it').min(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().min(1).optional(),
})

const urlServer = z.strictObject({
  kind: z.literal('url'),
  type: z.enum(['http', 'streamable-http']).optional(),
  url: z
    .url({ protocol: /^https?$/, hostname: /.*/, error: 'It must be an http or https URL' })
    .refine((url) => !hasCredentials(url), 'Credentials belong in headers, not in the url'),
  headers: z.record(headerName, headerValue).default({}),
})

function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}

const server = z.preprocess(
  (entry) =>
    typeof entry === 'object' && entry !== null ? { ...entry, kind: 'url' in entry ? 'url' : 'command' } : entry,
  z.discriminatedUnion('kind', [commandServer, urlServer]),
)

const mcpFile = z.strictObject({ mcpServers: z.record(serverName, server) })

/** How one server is started or reached. */
export type McpServer = Readonly<z.output<typeof commandServer> | z.output<typeof urlServer>>

/** By name. */
export type McpConfig = ReadonlyMap<string, McpServer>

/**
 * Reads the servers of the operator's file, in the format that is common to MCP clients:
 * `{ "mcpServers": { "files": { "command": "…", "args": […] }, "search": { "url": "https://…" } } }`.
 *
 * Only this file can name a command. Prompts name its servers.
 *
 * @throws LllmError `invalid-settings`, which names the file and each place in it. Values are not told: they may be secrets.
 */
export function readMcpConfig(value: unknown, file: string): McpConfig {
  const parsed = mcpFile.safeParse(value)
  if (parsed.success) return new Map(Object.entries(parsed.data.mcpServers))
  const issues = parsed.error.issues.slice(0, issuesMax).map(tellIssue)
  const told = issues.map(({ pointer, message }) => `${pointer || 'It'}: ${message}.`)
  throw new LllmError('invalid-settings', `${file}: ${told.join(' ')}`, { file, issues })
}

function tellIssue(issue: z.core.$ZodIssue) {
  return { pointer: jsonPointer(issue.path), message: messageOf(issue) }
}

/** Of many unknown keys the first is told, however many there are. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `Unrecognized key: "${issue.keys[0]}"`
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
}
