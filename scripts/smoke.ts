// Starts the compiled service in a folder of its own, as an installed package would be, and makes one call.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const folder = mkdtempSync(join(tmpdir(), 'lllm-smoke-'))
const root = join(import.meta.dirname, '..')
const service = spawn(process.execPath, ['dist/src/main.js'], {
  cwd: root,
  env: { PATH: process.env['PATH'], LLLM_PORT: '0', LLLM_DATABASE: join(folder, 'lllm.db') },
  stdio: ['ignore', 'pipe', 'inherit'],
})

async function listeningUrl(): Promise<string> {
  for await (const line of createInterface({ input: service.stdout })) {
    const { url } = JSON.parse(line) as { url?: string }
    if (url !== undefined) return url
  }
  throw new Error('The service ended before it listened.')
}

try {
  const url = await listeningUrl()
  const answer = await fetch(`${url}/tactics/summarizer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'Bees dance to tell each other where flowers are.' }),
  })
  process.stdout.write(`${answer.status} ${await answer.text()}\n`)
  process.exitCode = answer.status === 200 ? 0 : 1
} finally {
  service.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
