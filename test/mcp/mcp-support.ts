import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, vi } from 'vitest'
import type { ToolSource } from '../../src/domain/tool-source.ts'
import { readMcpConfig } from '../../src/mcp/mcp-config.ts'
import { createMcpToolSource } from '../../src/mcp/mcp-tool-source.ts'
import { emptyAllowList } from '../../src/outbound/allow-list.ts'
import { startHttpServer } from './http-server.ts'

/** A signal that never aborts. */
export const patience = new AbortController().signal

/** As the service has it whose operator allows nothing else. */
export const onLoopback = { reach: 'loopback', allowed: emptyAllowList } as const

/** A source with one server of the name `demo`, closed at the end of the test. */
export function openSource(server: unknown): ToolSource {
  const source = createMcpToolSource(readMcpConfig({ mcpServers: { demo: server } }, 'mcp.json'), onLoopback)
  onTestFinished(() => source.close())
  return source
}

export function stdioServer() {
  return runScript('stdio-server.ts')
}

export function rudeServer(manner: string) {
  return runScript('rude-server.ts', manner)
}

/** A rude server whose process can be watched. */
export function watchedServer(manner: string) {
  const folder = mkdtempSync(join(tmpdir(), 'lllm-mcp-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pidFile = join(folder, 'pid')
  return {
    settings: runScript('rude-server.ts', manner, pidFile),
    /** Resolves when the process runs. */
    pid: () =>
      vi.waitFor(() => {
        const pid = Number(readFileSync(pidFile, 'utf8'))
        expect(pid).toBeGreaterThan(0)
        return pid
      }),
  }
}

function runScript(script: string, ...args: string[]) {
  return { command: process.execPath, args: [fileURLToPath(new URL(script, import.meta.url)), ...args] }
}

export async function httpServer() {
  const server = await startHttpServer()
  onTestFinished(() => server.close())
  return server
}

/** Calls a tool of the server `demo` by its own name. */
export async function call(source: ToolSource, name: string, args: unknown = {}, signal = patience): Promise<unknown> {
  const tools = await source.tools('demo', patience)
  const tool = tools.find((known) => known.name === `demo__${name}`)
  if (tool === undefined) throw new Error(`No tool "${name}" among ${tools.map((known) => known.name).join(', ')}`)
  return await tool.run(args, { signal, idempotencyKey: 'key' })
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
