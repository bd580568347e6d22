import type { CallToolResult } from '@modelcontextprotocol/client'
import { z } from 'zod'
import { isDeeperThan, type JsonObject } from '../domain/json.ts'
import type { Tool } from '../domain/tool.ts'
import type { ToolAnswer } from './mcp-connection.ts'

const nameLengthMax = 64
const descriptionLengthMax = 4_096
/** Of a schema as JSON, in characters. A tool with a larger or deeper one is left out. */
const schemaLengthMax = 65_536
const schemaDepthMax = 32
/** What a model is told of a result at the most, in characters. */
const textLengthMax = 200_000

const offeredTool = z.object({
  name: z.string().min(1).max(256),
  description: z.string().optional(),
  inputSchema: z
    .looseObject({ type: z.literal('object') })
    .refine((schema) => !isDeeperThan(schema, schemaDepthMax) && JSON.stringify(schema).length <= schemaLengthMax),
})

/** Calls a tool by the name that its server gave it. */
export type CallTool = (name: string, args: JsonObject, signal: AbortSignal) => Promise<ToolAnswer>

/** Makes tools of what a server offers. What is no tool with an object as its arguments is left out. */
export function toTools(server: string, offered: readonly unknown[], call: CallTool): readonly Tool[] {
  const taken = new Set<string>()
  return offered.flatMap((candidate): Tool[] => {
    const parsed = offeredTool.safeParse(candidate)
    if (!parsed.success) return []
    const { name, description = '', inputSchema } = parsed.data
    const run: Tool['run'] = async (args, { signal }) => {
      if (typeof args !== 'object' || args === null || Array.isArray(args)) {
        throw new Error('The arguments must be a JSON object.')
      }
      return readAnswer(await call(name, args as JsonObject, signal))
    }
    const ownName = nameFor(server, name, taken)
    return [{ name: ownName, description: description.slice(0, descriptionLengthMax), parameters: inputSchema, run }]
  })
}

/** `<server>__<tool>` in the characters that models' providers accept. Where that is taken already, a number tells apart. */
function nameFor(server: string, tool: string, taken: Set<string>): string {
  const wished = `${server}__${tool}`.replaceAll(/[^a-zA-Z0-9_-]/g, '_')
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `_${number}`
    const name = wished.slice(0, nameLengthMax - suffix.length) + suffix
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

/** The text for the model. Throws what the server gave as the reason of a failure, which is for the model as well. */
function readAnswer(answer: ToolAnswer): string {
  if (!answer.ok) throw new Error(answer.reason.slice(0, textLengthMax))
  const text = tell(answer.result)
  const cut = text.length > textLengthMax ? `${text.slice(0, textLengthMax)}\n[cut off]` : text
  if (answer.result.isError === true) throw new Error(cut)
  return cut
}

function tell({ content, structuredContent }: CallToolResult): string {
  if (content.length === 0) return structuredContent === undefined ? 'done' : JSON.stringify(structuredContent)
  return content.map(tellPart).join('\n')
}

function tellPart(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text
    case 'image':
    case 'audio':
      return `[${part.type}: ${part.mimeType}]`
    case 'resource_link':
      return `[resource: ${part.name}, ${part.uri}]`
    case 'resource':
      return `[resource: ${part.resource.uri}]${'text' in part.resource ? `\n${part.resource.text}` : ''}`
  }
}
