import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

/** The headers of a request that never come to their end. */
export const headersWithoutEnd = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: '
/** A request whose body never comes to its end. */
export const bodyWithoutEnd =
  'POST /tactics/summarizer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"task": "'
/** A request with headers of a megabyte. */
export const largeHeaders = `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\n`

/** A client that takes its time. */
export interface SlowClient {
  /** What it was told when the service had enough of it; nothing: it was cut off. */
  readonly told: Promise<string>
}

/** Sends the beginning of a request, and then a byte from time to time. */
export async function openSlow(url: string, beginning: string, everyMs: number): Promise<SlowClient> {
  const socket = await open(url)
  socket.write(beginning)
  const timer = setInterval(() => socket.write('a'), everyMs)
  const told = text(socket)
    .catch(() => '')
    .finally(() => clearInterval(timer))
  return { told }
}

/** Opens a stream of events, and resolves when its head has come. Nobody reads on. */
export async function openReader(url: string, path: string): Promise<Socket> {
  const socket = await open(url)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n`)
  const [head] = await once(socket, 'data')
  if (!String(head).startsWith('HTTP/1.1 200')) throw new Error(`The stream was not opened: ${head}`)
  socket.resume()
  return socket
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** The milliseconds that the slowest but one in a hundred calls of a client took, of which one is sent after the other. */
export async function measureP99(url: string, tactic: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true })
  const headers = { 'content-type': 'application/json' }
  const took: number[] = []
  for (let index = 0; index < count; index++) {
    const startedMs = performance.now()
    const request = httpRequest(`${url}/tactics/${tactic}`, { agent, method: 'POST', headers }).end('{"task":"bees"}')
    const [response] = await once(request, 'response')
    await text(response)
    took.push(performance.now() - startedMs)
    if (response.statusCode !== 200) throw new Error(`A healthy client was answered with ${response.statusCode}.`)
  }
  agent.destroy()
  return took.sort((left, right) => left - right)[Math.floor(count * 0.99)] ?? 0
}

/** As {@link measureP99}, by a process that has nothing else to do. */
export async function measureP99Apart(url: string, tactic: string, count: number): Promise<number> {
  const measure = `await measureP99(${JSON.stringify(url)}, ${JSON.stringify(tactic)}, ${count})`
  const program = `import { measureP99 } from ${JSON.stringify(import.meta.url)}\n${measure}\nconsole.log(${measure})`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return Number(stdout)
}
