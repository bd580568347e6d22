import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished, vi } from 'vitest'

const folders = (process.env['PATH'] ?? '').split(delimiter)
const program = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => folders.map((folder) => join(folder, name)))
  .find((path) => existsSync(path))

/** Why there is no browser to test with. Undefined: there is one. */
export const missingBrowser = program === undefined ? 'skipped: there is no Chromium on this machine' : undefined

// It speaks to nobody but whom a test asks for.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
]

interface Told {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly entry?: { readonly level: string; readonly text: string } }
  readonly result?: { readonly result?: { readonly value: unknown } }
}

export interface Page {
  /** What an expression is in the page. Promises are waited for. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression is true in the page. */
  waitUntil(expression: string): Promise<void>
  /** What the browser complains of: files that are missing, and what a policy forbids. */
  readonly complaints: readonly string[]
}

/** Opens a page in a browser without a window, which is closed after the test. */
export async function openPage(url: string): Promise<Page> {
  if (program === undefined) throw new Error('There is no Chromium on this machine.')
  const profile = mkdtempSync(join(tmpdir(), 'lllm-browser-'))
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /^DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    void ended.then(() => reject(new Error('The browser ended.')))
  })
  const pages = (await (await fetch(`http://${address}/json/list`)).json()) as {
    readonly type: string
    readonly webSocketDebuggerUrl: string
  }[]
  const socket = new WebSocket(pages.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '')
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
  const complaints: string[] = []
  const waiting = new Map<number, (told: Told) => void>()
  socket.addEventListener('message', ({ data }) => {
    const told = JSON.parse(String(data)) as Told
    if (told.id !== undefined) waiting.get(told.id)?.(told)
    const entry = told.method === 'Log.entryAdded' ? told.params?.entry : undefined
    if (entry?.level === 'error' || entry?.level === 'warning') complaints.push(entry.text)
  })
  let asked = 0
  const ask = (method: string, params: object = {}) =>
    new Promise<Told>((resolve) => {
      const id = ++asked
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  const evaluate = async (expression: string) => {
    const { result } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    return result?.result?.value
  }
  await ask('Log.enable')
  await ask('Page.navigate', { url })
  return {
    evaluate,
    async waitUntil(expression) {
      await vi.waitUntil(async () => (await evaluate(expression)) === true, { timeout: 15_000, interval: 20 })
    },
    complaints,
  }
}
