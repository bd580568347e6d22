// Runs that wait in a queue, submitted and listed over HTTP: what a caller waits for, and whether the service grows with its queue. One
// run is under way all the time, at a provider that does not answer. `npm run bench:runs -- [count] [sqlite|postgres]`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { startPostgres } from '../test/support/postgres.ts'
import { type Running, residentMb, startServer, stopAll } from './processes.ts'
import { printTimes, printTimesHead, timeAnswers } from './times.ts'

const count = Number(process.argv[2] ?? 10_000)
const kind = process.argv[3] ?? 'sqlite'
const inFlight = Number(process.env['IN_FLIGHT'] ?? 8)
const listsEach = 300
/** Before memory is weighed for the first time, so that what a first request loads is not counted. */
const warmRuns = 500
const settleMs = 3_000
const batchSize = 1_000
/** Of 200 runs each. */
const pagesDown = 20
const neverMs = 3_600_000

const startArguments = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start.split(' ').slice(1) as string[]
const folder = mkdtempSync(join(tmpdir(), 'lllm-bench-'))
const headers = { 'content-type': 'application/json' }

async function benchRuns(server: Running) {
  const pool = new Pool(server.url, { connections: inFlight, headersTimeout: 0 })
  const ask = async (method: 'GET' | 'POST', path: string, body?: object) => {
    const given = body === undefined ? {} : { headers, body: JSON.stringify(body) }
    const answer = await pool.request({ method, path, ...given })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered by ${answer.statusCode}: ${text}`)
    return JSON.parse(text) as { next_cursor?: string | null }
  }
  const submit = (index: number) =>
    ask('POST', '/tactics/summarizer/runs', {
      task: `Bees dance to tell each other where flowers are. ${index}`,
      tags: { team: `team-${index % 20}` },
    })

  await timeAnswers(warmRuns, inFlight, submit)
  await sleep(settleMs)
  const weights = [`${residentMb(server).toFixed(0)} MB with ${warmRuns} runs`]
  const weigh = (when: string) => weights.push(`${residentMb(server).toFixed(0)} MB ${when}`)
  printTimesHead(`${kind}, ${count} runs that wait, ${inFlight} requests at once`)
  printTimes('submit', await timeAnswers(count, inFlight, submit))
  weigh(`after ${count} more`)
  let deep = '/runs?limit=200'
  for (let page = 0; page < pagesDown; page++) {
    const { next_cursor: next } = await ask('GET', deep)
    if (typeof next === 'string') deep = `/runs?limit=200&cursor=${next}`
  }
  const lists = {
    'list of 50': '/runs',
    'list of 50, further down': deep.replace('limit=200', 'limit=50'),
    'list of 50, by state': '/runs?state=queued',
    'list of 50, by tactic': '/runs?tactic=summarizer',
    'list of 50, by tag': '/runs?tag.team=team-7',
  }
  for (const [name, path] of Object.entries(lists)) {
    printTimes(name, await timeAnswers(listsEach, inFlight, () => ask('GET', path)))
  }
  const tasks = Array.from({ length: batchSize }, (_, index) => `Bees ${index}`)
  const batches = Math.ceil(count / batchSize)
  printTimes(
    `a batch of ${batchSize}`,
    await timeAnswers(batches, 1, () => ask('POST', '/tactics/summarizer/batches', { tasks })),
  )
  printTimes(`list of ${batches} batches`, await timeAnswers(listsEach, inFlight, () => ask('GET', '/batches')))
  weigh('after the lists and batches')
  await timeAnswers(count, inFlight, submit)
  weigh(`after ${count} runs more`)
  process.stdout.write(`memory: ${weights.join(', ')}\n`)
  await pool.close()
}

const postgres = kind === 'postgres' ? await startPostgres() : undefined
try {
  const provider = await startServer(['bench/provider.ts'], { LATENCY_MS: String(neverMs) }, 1)
  const env = {
    OPENAI_BASE_URL: provider.url,
    OPENAI_API_KEY: 'none',
    LLLM_PORT: '0',
    LLLM_DATABASE: postgres?.url ?? join(folder, 'runs.db'),
    LLLM_RUN_WORKERS: '1',
    // Of one tenant.
    LLLM_QUEUED_RUNS_MAX: '10000000',
    LLLM_GRACE_MS: '1000',
  }
  await benchRuns(await startServer(startArguments, env, 0))
} finally {
  stopAll()
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
}
