import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { noCost } from '../../src/domain/cost.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { readMcpFile } from '../../src/load-house.ts'
import { readMcpConfig } from '../../src/mcp/mcp-config.ts'
import { createMcpToolSource } from '../../src/mcp/mcp-tool-source.ts'
import { readAllowList } from '../../src/outbound/allow-list.ts'
import { createRemoteTactics } from '../../src/remote/create-remote-tactics.ts'
import { testRuntime } from '../../src/testing.ts'
import { onLoopback } from '../mcp/mcp-support.ts'

const never = new AbortController().signal

async function mcpFile(url: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-outbound-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'mcp.json')
  await writeFile(file, JSON.stringify({ mcpServers: { notes: { url } } }))
  return file
}

test('an MCP server of a private network stops the start, unless the operator allows it', async () => {
  const file = await mcpFile('http://10.1.2.3:8080/mcp')
  await expect(readMcpFile({ mcpFile: file, outboundAllow: undefined })).rejects.toMatchObject({
    code: 'invalid-settings',
    message: `${file}: /mcpServers/notes/url must be an https URL, unless LLLM_OUTBOUND_ALLOW names it.`,
  })
  const allowed = readAllowList(['10.0.0.0/8'])
  expect((await readMcpFile({ mcpFile: file, outboundAllow: allowed }))?.has('notes')).toBe(true)
  const local = await mcpFile('http://127.0.0.1:8080/mcp')
  expect((await readMcpFile({ mcpFile: local, outboundAllow: undefined }))?.has('notes')).toBe(true)
})

test('an MCP server whose address is refused when it is connected says so', async () => {
  const config = readMcpConfig({ mcpServers: { notes: { url: 'https://10.1.2.3/mcp' } } }, 'mcp.json')
  const source = createMcpToolSource(config, onLoopback)
  onTestFinished(() => source.close())
  await expect(source.tools('notes', never)).rejects.toMatchObject({
    code: 'provider-failed',
    message: expect.stringContaining('LLLM_OUTBOUND_ALLOW'),
  })
})

test('a remote tactic of a private network is refused, and costs nothing', async () => {
  const remotes = createRemoteTactics({ keyOf: () => undefined, rules: onLoopback })
  onTestFinished(() => remotes.close())
  const target = { url: 'https://169.254.169.254', tactic: 'far', headers: () => ({}) }
  expect(await remotes.call({ target, task: 'x', limits: {}, signal: never, trace: undefined })).toMatchObject({
    ok: false,
    cost: noCost,
    error: { code: 'remote-failed', message: expect.stringContaining('must lead to a public address') },
  })
})

class Look extends Tactic({ name: 'look', agents: ['viewer'] }) {
  async call(url: string) {
    return (await this.agents.viewer.open('look').receiveImage({ url }).respond()).content
  }
}

test('a provider is sent to no image of a private network', async () => {
  const runtime = await testRuntime({ tactics: [Look], model: ['A bee.'] })
  onTestFinished(() => runtime.close())
  const look = runtime.build(Look)
  for (const url of ['http://example.org/bee.png', 'https://169.254.169.254/', 'https://localhost/bee.png']) {
    await expect(look(url)).rejects.toMatchObject({ code: 'dialog-misuse' })
  }
  expect(await look('https://example.org/bee.png')).toBe('A bee.')
})
