import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { type Block, readBlocks, readText, root } from './markdown.ts'

const run = promisify(execFile)

/** What a start in README.md looks like, with the package that it serves. */
const start = /^(?:npm ci && |LLLM_CONFIG=(?<manifest>\S+) )npm start$/m
/** Members that differ from call to call. */
const changing = new Set(['id', 'session_id', 'request_id', 'started_at', 'ended_at', 'duration_ms', 'next_cursor'])

interface Service {
  readonly url: string
  stop(): void
}

/** Starts the service as `npm start` does, with the simulated model, on a free port. */
async function startService(manifest: string | undefined): Promise<Service> {
  const service = spawn(process.execPath, ['src/main.ts'], {
    cwd: fileURLToPath(root),
    env: { LLLM_PORT: '0', LLLM_DATABASE: ':memory:', ...(manifest === undefined ? {} : { LLLM_CONFIG: manifest }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void service.kill('SIGKILL'))
  for await (const line of createInterface({ input: service.stdout })) {
    const { url } = JSON.parse(line) as { readonly url?: string }
    if (url !== undefined) return { url, stop: () => service.kill() }
  }
  throw new Error('The service ended before it listened.')
}

async function hasCurl(): Promise<boolean> {
  return run('curl', ['--version']).then(
    () => true,
    () => false,
  )
}

/** Runs a command of the page as a reader would, in a shell, against our service. */
async function runInShell(command: string, url: string, sessionId: string): Promise<string> {
  const script = command.replaceAll('localhost:8080', url.replace('http://', ''))
  const { stdout } = await run('sh', ['-c', script], { env: { ...process.env, SESSION_ID: sessionId } })
  return stdout
}

function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mask)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, changing.has(key) ? '…' : mask(inner)]))
}

function expectShown(shown: Block | undefined, answer: string, command: string) {
  if (shown?.language === 'json') expect(mask(JSON.parse(answer)), command).toEqual(mask(JSON.parse(shown.text)))
  else if (shown?.language === 'csv') expect(answer.replaceAll('\r\n', '\n').trim(), command).toBe(shown.text)
  else throw new Error(`README.md shows no answer to: ${command}`)
}

test.skipIf(!(await hasCurl()))('the commands of README.md give the answers that it shows', async () => {
  const blocks = readBlocks(readText('README.md'))
  let service: Service | undefined
  let sessionId = ''
  let commandCount = 0
  for (const [index, { language, text }] of blocks.entries()) {
    if (language !== 'sh') continue
    const started = start.exec(text)
    if (started !== null) {
      service?.stop()
      service = await startService(started.groups?.['manifest'])
    }
    if (!text.startsWith('curl') || service === undefined) continue
    const answer = await runInShell(text, service.url, sessionId)
    expectShown(blocks[index + 1], answer, text)
    sessionId = /"session_id":"([^"]+)"/.exec(answer)?.[1] ?? sessionId
    commandCount++
  }
  expect(commandCount).toBeGreaterThan(5)
})
