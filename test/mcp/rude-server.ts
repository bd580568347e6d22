import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

// A stdio server without manners. The SDK is not used, as it would keep it from misbehaving.
const [, , manner, pidFile] = process.argv

const empty = { type: 'object', properties: {} }
const deep = JSON.parse(`${'{"type":"object","properties":{"x":'.repeat(50)}{}${'}}'.repeat(50)}`)
const oddTools = [
  { name: 'read/file', description: 'd'.repeat(10_000), inputSchema: empty },
  { name: 'read.file', inputSchema: empty },
  { name: 'l'.repeat(100), inputSchema: empty },
  { name: 'takes-a-list', inputSchema: { type: 'array' } },
  { name: 'too-deep', inputSchema: deep },
  { name: 'too-large', inputSchema: { ...empty, description: 'd'.repeat(100_000) } },
  { name: 7, inputSchema: empty },
  'nonsense',
]

if (pidFile !== undefined) writeFileSync(pidFile, String(process.pid))
if (manner === 'stubborn') setInterval(() => {}, 60_000)
if (manner === 'exits') process.exit(1)

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (manner === 'silent' || id === undefined) continue
  if (manner === 'garbled') process.stdout.write('Server started!\n{"jsonrpc": 1}\n{"half\n\u0000\n')
  reply(id, answer(method, params))
}

function reply(id: unknown, result: unknown) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`)
}

function answer(method: string, params: { cursor?: string; name?: string } = {}): unknown {
  if (method === 'initialize') {
    const serverInfo = { name: 'rude', version: '1' }
    return { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo }
  }
  if (method === 'tools/call') {
    if (manner === 'floods') process.stdout.write('x'.repeat(5 * 1024 * 1024))
    return { content: [{ type: 'text', text: `${params.name} ${'y'.repeat(250_000)}` }] }
  }
  return manner === 'offers-without-end' ? endlessPage(Number(params.cursor ?? 0)) : { tools: oddTools }
}

function endlessPage(first: number) {
  const tools = Array.from({ length: 30 }, (_, index) => ({ name: `tool ${first + index}`, inputSchema: empty }))
  return { tools, nextCursor: String(first + 30) }
}
