// Our service beside a hand-written Fastify route with the openai SDK, in one run against one scripted provider.
// Only ratios of one run mean anything: machines differ, and so does one machine from hour to hour.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMicroseconds, type Running, residentMb, runToEnd, startServer, stop } from './processes.ts'

const serverCore = 0
const loadCore = 1
const rounds = Number(process.env['ROUNDS'] ?? 3)
const folder = mkdtempSync(join(tmpdir(), 'lllm-bench-'))

interface LoadResult {
  readonly failed: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}
interface Row extends LoadResult {
  readonly cpuMicros: number
}

const startFloor = (providerUrl: string) =>
  startServer(['bench/floor.ts'], { OPENAI_BASE_URL: providerUrl, OPENAI_API_KEY: 'none' }, serverCore)
const startOurs = (providerUrl: string) =>
  startServer(
    [
      ...(process.argv.includes('--profile') ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}/bench/profiles`] : []),
      '--import',
      './src/compile-cache.js',
      'src/main.ts',
    ],
    {
      OPENAI_BASE_URL: providerUrl,
      OPENAI_API_KEY: 'none',
      LLLM_PORT: '0',
      LLLM_DATABASE: join(folder, `${performance.now()}.db`),
      LLLM_LOG_LEVEL: process.env['LLLM_LOG_LEVEL'] ?? 'info',
    },
    serverCore,
  )

async function measure(server: Running, tactic: string, requests: number, inFlight: number): Promise<Row> {
  const before = cpuMicroseconds(server)
  const env = { URL: server.url, TACTIC: tactic, REQUESTS: String(requests), IN_FLIGHT: String(inFlight) }
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

async function compare(
  title: string,
  latencyMs: number,
  tactics: readonly string[],
  requests: number,
  inFlight: number,
) {
  const provider = await startServer(['bench/provider.ts'], { LATENCY_MS: String(latencyMs) }, loadCore)
  printHead(title)
  for (const tactic of tactics) {
    const floor = await startFloor(provider.url)
    const ours = await startOurs(provider.url)
    const rows = { floor: [] as Row[], ours: [] as Row[] }
    for (const server of [floor, ours]) await measure(server, tactic, Math.min(requests, 3_000), inFlight)
    // Side by side, round by round, so that a slow minute of the machine hits both.
    for (let round = 0; round < rounds; round++) {
      rows.floor.push(await measure(floor, tactic, requests, inFlight))
      rows.ours.push(await measure(ours, tactic, requests, inFlight))
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
  let memoryMb = 0
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    const ours = await startOurs(provider.url)
    await runToEnd(['bench/load.ts'], { URL: ours.url, TACTIC: 'summarizer', REQUESTS: '1', IN_FLIGHT: '1' }, loadCore)
    times.push(performance.now() - startedAt)
    memoryMb = residentMb(ours)
    await stop(ours)
  }
  await stop(provider)
  const [, middle = times[0] ?? 0] = times.sort((left, right) => left - right)
  process.stdout.write(
    `\nstart to first answer ${middle.toFixed(0)} ms (with the load's own start), idle memory ${memoryMb.toFixed(0)} MB\n`,
  )
}

try {
  await start()
  await compare('no latency, 16 in flight', 0, ['summarizer', 'researcher'], 10_000, 16)
  await compare('1 s latency, 1,000 in flight (ideal 1,000/s)', 1_000, ['summarizer'], 6_000, 1_000)
  await compare('200 ms latency, 400 in flight', 200, ['summarizer'], 6_000, 400)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
