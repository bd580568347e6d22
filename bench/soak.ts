// Mixed load for a long time, with a provider that fails in every way and clients that hang up: what the process holds has to stay what it
// was. SOAK_MINUTES (30), SOAK_CLIENTS (24). Prints a line for each tenth of the time, and fails when something grows.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFaultyProvider } from './faulty-provider.ts'
import { residentMb, startServer, stop, stopAll } from './processes.ts'

const minutes = Number(process.env['SOAK_MINUTES'] ?? 30)
const clients = Number(process.env['SOAK_CLIENTS'] ?? 24)
const periods = 10
const sampleEveryMs = 2_000
/** What the process holds at rest may be as much more than before. */
const growthMax = 1.3
const descriptorsMoreMax = 10

const startArguments = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start.split(' ').slice(1) as string[]
const folder = mkdtempSync(join(tmpdir(), 'lllm-soak-'))
const provider = await startFaultyProvider()
const server = await startServer(
  startArguments,
  {
    OPENAI_BASE_URL: provider.url,
    OPENAI_API_KEY: 'none',
    LLLM_PORT: '0',
    LLLM_DATABASE: join(folder, 'soak.db'),
  },
  null,
)
const outcomes = new Map<string, number>()

interface Sample {
  readonly heapMb: number
  readonly residentMb: number
  readonly descriptors: number
  readonly sockets: number
  readonly resources: number
}

async function sample(): Promise<Sample> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const figure = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    )
  const links = readdirSync(`/proc/${server.process.pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${server.process.pid}/fd/${name}`)
    } catch {
      return ''
    }
  })
  return {
    heapMb: figure('nodejs_heap_size_used_bytes') / 2 ** 20,
    residentMb: residentMb(server),
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    resources: figure('nodejs_active_resources_total'),
  }
}

const headers = { 'content-type': 'application/json' }
const body = (more: object = {}) => JSON.stringify({ task: 'Bees dance. '.repeat(50), timeout_ms: 5_000, ...more })

async function ask(path: string, init: RequestInit = {}): Promise<void> {
  const answer = await fetch(server.url + path, { ...init, headers })
  await answer.arrayBuffer()
  note(`${path.split(/[/?]/)[1]} ${answer.status}`)
}

function note(what: string) {
  outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
}

async function leave(path: string, afterMs: number): Promise<void> {
  const signal = AbortSignal.timeout(Math.ceil(afterMs))
  try {
    await (await fetch(server.url + path, { method: 'POST', headers, body: body(), signal })).arrayBuffer()
    note('ended before it was left')
  } catch {
    note('left')
  }
}

async function run(): Promise<void> {
  const submitted = await fetch(`${server.url}/tactics/pipeline/runs`, {
    method: 'POST',
    headers,
    body: body({ timeout_ms: 20_000 }),
  })
  const { id } = (await submitted.json()) as { id: string }
  if (Math.random() < 0.3) await ask(`/runs/${id}/cancel`, { method: 'POST', body: '{}' })
  await ask(`/runs/${id}/${Math.random() < 0.5 ? 'events' : 'wait'}`)
}

const deeds: readonly (readonly [number, () => Promise<void>])[] = [
  [40, () => ask('/tactics/summarizer', { method: 'POST', body: body() })],
  [15, () => ask('/tactics/pipeline', { method: 'POST', body: body({ return_session: true }) })],
  [10, () => ask('/tactics/researcher/stream', { method: 'POST', body: body() })],
  [8, () => leave('/tactics/pipeline', 20 + Math.random() * 60)],
  [7, () => leave('/tactics/researcher/stream', 20 + Math.random() * 60)],
  [
    5,
    () =>
      ask('/tactics/summarizer/batch', {
        method: 'POST',
        body: JSON.stringify({ tasks: Array(5).fill('bees'), timeout_ms: 5_000 }),
      }),
  ],
  [8, run],
  [4, () => ask('/sessions?limit=20')],
  [3, () => ask('/costs?group_by=tactic,model')],
]

async function client(untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    let left = Math.random() * 100
    const fitting = deeds.find(([share]) => {
      left -= share
      return left <= 0
    })
    const [, deed] = fitting ?? deeds[0] ?? []
    await deed?.().catch((error: Error) => note(`broken: ${error.message}`))
  }
}

const smallest = (samples: readonly Sample[]): Sample => {
  const least = (name: keyof Sample) => Math.min(...samples.map((one) => one[name]))
  return {
    heapMb: least('heapMb'),
    residentMb: least('residentMb'),
    descriptors: least('descriptors'),
    sockets: least('sockets'),
    resources: least('resources'),
  }
}
const told = (name: string, { heapMb, residentMb: rss, descriptors, sockets, resources }: Sample) =>
  process.stdout.write(
    `${name.padEnd(12)} heap ${heapMb.toFixed(0).padStart(4)} MB  resident ${rss.toFixed(0).padStart(4)} MB  descriptors ${String(descriptors).padStart(4)}  sockets ${String(sockets).padStart(4)}  resources ${String(resources).padStart(4)}\n`,
  )

try {
  const before = await sample()
  told('at rest', before)
  const periodMs = (minutes * 60_000) / periods
  const least: Sample[] = []
  for (let period = 1; period <= periods; period++) {
    const untilMs = performance.now() + periodMs
    const load = Promise.all(Array.from({ length: clients }, () => client(untilMs)))
    const samples: Sample[] = []
    while (performance.now() < untilMs) {
      samples.push(await sample())
      await sleep(sampleEveryMs)
    }
    await load
    const found = smallest(samples)
    least.push(found)
    told(`least in ${period}`, found)
  }
  // What keeps a socket for a while for the next request has let go of it by then.
  await sleep(70_000)
  const after = await sample()
  told('at rest', after)
  const [, second] = least
  const last = least.at(-1)
  const { requests, faults } = provider.counts
  process.stdout.write(`provider: ${requests} requests, ${faults} of them failed by it\n`)
  for (const [what, count] of [...outcomes].sort()) process.stdout.write(`${what}: ${count}\n`)
  const grown = [
    ...(last !== undefined && second !== undefined && last.heapMb > second.heapMb * growthMax ? ['the heap'] : []),
    ...(after.descriptors > before.descriptors + descriptorsMoreMax ? ['the descriptors'] : []),
    ...([...outcomes.keys()].some((what) => what.startsWith('broken')) ? ['the number of broken answers'] : []),
  ]
  if (grown.length > 0) throw new Error(`What grew: ${grown.join(', ')}.`)
  await stop(server)
} finally {
  stopAll()
  provider.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
