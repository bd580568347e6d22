// A closed loop of callers in a process of its own: REQUESTS calls, IN_FLIGHT at once. Prints one line of JSON.
import { Pool } from 'undici'

const { URL: url = '', TACTIC: tactic = '' } = process.env
const requests = Number(process.env['REQUESTS'])
const inFlight = Number(process.env['IN_FLIGHT'])
const body = JSON.stringify({ task: 'Bees dance to tell each other where flowers are. '.repeat(20) })

const pool = new Pool(url, { connections: inFlight, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
const latenciesMs: number[] = []
let started = 0
let failed = 0

async function caller() {
  while (started < requests) {
    started++
    const sentAt = performance.now()
    const answer = await pool.request({
      path: `/tactics/${tactic}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 200 || !text.includes('"result"')) failed++
    latenciesMs.push(performance.now() - sentAt)
  }
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: inFlight }, caller))
const seconds = (performance.now() - startedAt) / 1000
latenciesMs.sort((left, right) => left - right)
const quantile = (share: number) => latenciesMs[Math.min(requests - 1, Math.floor(requests * share))] ?? 0
process.stdout.write(
  `${JSON.stringify({ failed, perSecond: requests / seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99) })}\n`,
)
await pool.close()
