import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A well-behaved MCP server with a tool for each thing that a client has to cope with. */
export function createDemoServer(): McpServer {
  const server = new McpServer({ name: 'demo', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  const waits = { running: 0, cancelled: 0 }
  server.registerTool(
    'add',
    { description: 'Adds two numbers.', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => text(String(a + b)),
  )
  server.registerTool('fail', { inputSchema: z.object({}) }, async () => ({
    ...text('The disk is full.'),
    isError: true,
  }))
  server.registerTool('pid', { inputSchema: z.object({}) }, async () => text(String(process.pid)))
  server.registerTool('die', { inputSchema: z.object({}) }, () => process.exit(1))
  server.registerTool('wait', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
    waits.running += 1
    await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve, { once: true }))
    waits.running -= 1
    waits.cancelled += 1
    return text('Nobody reads this.')
  })
  server.registerTool('count_waits', { inputSchema: z.object({}) }, async () => text(JSON.stringify(waits)))
  server.registerTool('grow', { inputSchema: z.object({}) }, async () => {
    server.registerTool('grown', { inputSchema: z.object({}) }, async () => text('I am new.'))
    return text('done')
  })
  server.registerTool('show', { inputSchema: z.object({}) }, async () => ({
    content: [
      { type: 'text', text: 'Look:' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource_link', name: 'notes', uri: 'file:///notes.txt' },
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'What a.txt says.' } },
    ],
  }))
  return server
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] }
}
