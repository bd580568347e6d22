// Our service beside a hand-written Fastify route with the openai SDK, in one run against one scripted provider.
// Only ratios of one run mean anything: machines differ, and so does one machine from hour to hour.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureCommands } from './commands.ts'
import { cpuMicroseconds, type Running, residentMb, runToEnd, startServer, stop, stopAll } from './processes.ts'

const serverCore = 0
/** After this a start is over, and what it needed has been given back. */
const settleMs = 2_000
const loadCore = 1
const rounds = Number(process.env['ROUNDS'] ?? 3)
/** What `npm start` starts. */
const startArguments = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start.split(' ').slice(1) as string[]
const folder = mkdtempSync(join(tmpdir(), 'lllm-bench-'))

interface LoadResult {
  readonly failed: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}
interface Load {
  readonly requests: number
  /** Calls under way at once. */
  readonly inFlight: number
  readonly rampMs?: number
}
interface Row extends LoadResult {
  readonly cpuMicros: number
}

const startFloor = (providerUrl: string) =>
  startServer(['bench/floor.ts'], { OPENAI_BASE_URL: providerUrl, OPENAI_API_KEY: 'none' }, serverCore)
const startOurs = (providerUrl: string, core: number | null = serverCore) =>
  startServer(
    [
      ...(process.argv.includes('--profile') ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}/bench/profiles`] : []),
      ...startArguments,
    ],
    {
      OPENAI_BASE_URL: providerUrl,
      OPENAI_API_KEY: 'none',
      LLLM_PORT: '0',
      LLLM_DATABASE: join(folder, `${performance.now()}.db`),
      LLLM_LOG_LEVEL: process.env['LLLM_LOG_LEVEL'] ?? 'info',
    },
    core,
  )

async function measure(server: Running, tactic: string, { requests, inFlight, rampMs = 0 }: Load): Promise<Row> {
  const before = cpuMicroseconds(server)
  const env = {
    URL: server.url,
    TACTIC: tactic,
    REQUESTS: String(requests),
    IN_FLIGHT: String(inFlight),
    RAMP_MS: String(rampMs),
  }
  const result = await runToEnd<LoadResult>(['bench/load.ts'], env, loadCore)
  if (result.failed > 0) throw new Error(`${result.failed} of ${requests} calls failed`)
  return { ...result, cpuMicros: (cpuMicroseconds(server) - before) / requests }
}

function median(rows: readonly Row[]): Row {
  const sorted = [...rows].sort((left, right) => left.cpuMicros - right.cpuMicros)
  return sorted[Math.floor(sorted.length / 2)] as Row
}

function print(name: string, row: Row, floor: Row) {
  const cells = [row.cpuMicros.toFixed(0), row.perSecond.toFixed(0), row.p50Ms.toFixed(1), row.p99Ms.toFixed(1)]
  const ratios = [(row.cpuMicros / floor.cpuMicros).toFixed(2), (row.perSecond / floor.perSecond).toFixed(2)]
  process.stdout.write(`${name.padEnd(44)}${[...cells, ...ratios].map((cell) => cell.padStart(10)).join('')}\n`)
}

function printHead(title: string) {
  const columns = ['CPU µs/req', 'req/s', 'p50 ms', 'p99 ms', 'CPU ratio', 'rate ratio']
  process.stdout.write(`\n${title.padEnd(44)}${columns.map((column) => column.padStart(10)).join('')}\n`)
}

async function compare(title: string, latencyMs: number, tactics: readonly string[], load: Load) {
  const provider = await startServer(['bench/provider.ts'], { LATENCY_MS: String(latencyMs) }, loadCore)
  printHead(title)
  for (const tactic of tactics) {
    const floor = await startFloor(provider.url)
    const ours = await startOurs(provider.url)
    const rows = { floor: [] as Row[], ours: [] as Row[] }
    for (const server of [floor, ours])
      await measure(server, tactic, { ...load, requests: Math.min(load.requests, 4_000) })
    // Side by side, round by round, so that a slow minute of the machine hits both.
    for (let round = 0; round < rounds; round++) {
      rows.floor.push(await measure(floor, tactic, load))
      rows.ours.push(await measure(ours, tactic, load))
    }
    print(`${tactic}: Fastify + openai SDK, no store`, median(rows.floor), median(rows.floor))
    print(`${tactic}: lllm with sessions in SQLite`, median(rows.ours), median(rows.floor))
    await stop(floor)
    await stop(ours)
  }
  await stop(provider)
}

async function start() {
  const provider = await startServer(['bench/provider.ts'], {}, loadCore)
  const times: number[] = []
  const idleMb: number[] = []
  const calledMb: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startedAtMs = performance.now()
    const ours = await startOurs(provider.url, null)
    const answer = await fetch(`${ours.url}/tactics/summarizer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: 'bees' }),
    })
    if (answer.status !== 200) throw new Error(`the first answer was ${answer.status}`)
    times.push(performance.now() - startedAtMs)
    await sleep(settleMs)
    calledMb.push(residentMb(ours))
    await stop(ours)
    const idle = await startOurs(provider.url, null)
    await sleep(settleMs)
    idleMb.push(residentMb(idle))
    await stop(idle)
  }
  await stop(provider)
  const middle = (values: readonly number[]) => values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0
  process.stdout.write(
    `\nstart to first answer ${middle(times).toFixed(0)} ms; memory idle after the start ${middle(idleMb).toFixed(0)} MB, ` +
      `after the first call, with the provider's SDK loaded, ${middle(calledMb).toFixed(0)} MB\n`,
  )
}

interface StreamResult {
  readonly failed: number
  readonly pieces: number
  /** To the first piece. */
  readonly p50Ms: number
  readonly p99Ms: number
}

async function measureStream(server: Running): Promise<StreamResult & { readonly cpuMicros: number }> {
  const before = cpuMicroseconds(server)
  const env = { URL: server.url, TACTIC: 'summarizer', REQUESTS: '300', IN_FLIGHT: '8' }
  const result = await runToEnd<StreamResult>(['bench/load-stream.ts'], env, loadCore)
  if (result.failed > 0) throw new Error(`${result.failed} streams failed`)
  return { ...result, cpuMicros: (cpuMicroseconds(server) - before) / result.pieces }
}

async function compareStreams() {
  const provider = await startServer(['bench/provider.ts'], { CHUNKS: '200' }, loadCore)
  const floor = await startFloor(provider.url)
  const ours = await startOurs(provider.url)
  type StreamRow = Awaited<ReturnType<typeof measureStream>>
  const rows = { floor: [] as StreamRow[], ours: [] as StreamRow[] }
  for (const server of [floor, ours]) await measureStream(server)
  for (let round = 0; round < rounds; round++) {
    rows.floor.push(await measureStream(floor))
    rows.ours.push(await measureStream(ours))
  }
  process.stdout.write(`\n${'streams of 200 pieces, 8 at once'.padEnd(44)}  CPU µs/piece  first piece p50 ms\n`)
  const [floorRow, oursRow] = [rows.floor, rows.ours].map((list) =>
    list.toSorted((left, right) => left.cpuMicros - right.cpuMicros).at(list.length >> 1),
  )
  if (floorRow === undefined || oursRow === undefined) return
  for (const [name, row] of [
    ['Fastify + openai SDK stream', floorRow],
    ['lllm with sessions in SQLite', oursRow],
  ] as const) {
    process.stdout.write(
      `${name.padEnd(44)}${row.cpuMicros.toFixed(1).padStart(14)}${row.p50Ms.toFixed(1).padStart(20)}\n`,
    )
  }
  const ratios = [oursRow.cpuMicros / floorRow.cpuMicros, oursRow.p50Ms / floorRow.p50Ms]
  process.stdout.write(
    `${'ratio'.padEnd(44)}${ratios[0]?.toFixed(2).padStart(14)}${ratios[1]?.toFixed(2).padStart(20)}\n`,
  )
  await stop(floor)
  await stop(ours)
  await stop(provider)
}

try {
  await start()
  await measureCommands(folder, rounds)
  await compare('no latency, 16 in flight', 0, ['summarizer', 'researcher'], { requests: 10_000, inFlight: 16 })
  await compare('1 s latency, 1,000 in flight (ideal 1,000/s)', 1_000, ['summarizer'], {
    requests: 12_000,
    inFlight: 1_000,
    rampMs: 1_000,
  })
  await compare('200 ms latency, 1,000 in flight', 200, ['summarizer'], {
    requests: 20_000,
    inFlight: 1_000,
    rampMs: 200,
  })
  await compare('200 ms latency, 400 in flight', 200, ['summarizer'], { requests: 10_000, inFlight: 400, rampMs: 200 })
  await compareStreams()
} finally {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
}
