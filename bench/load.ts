// A closed loop of callers in a process of its own: REQUESTS calls, IN_FLIGHT at once. Prints one line of JSON.
// The callers begin one after another over RAMP_MS, as real ones do, and the rate is counted from then on.
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'

const { URL: url = '', TACTIC: tactic = '' } = process.env
const requests = Number(process.env['REQUESTS'])
const inFlight = Number(process.env['IN_FLIGHT'])
const rampMs = Number(process.env['RAMP_MS'] ?? 0)
const body = JSON.stringify({ task: 'Bees dance to tell each other where flowers are. '.repeat(20) })

const pool = new Pool(url, { connections: inFlight, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
const latenciesMs: number[] = []
const endsMs: number[] = []
let lastStartMs: number | undefined
let started = 0
let failed = 0

async function caller(index: number) {
  await sleep((rampMs * index) / inFlight)
  while (started < requests) {
    started++
    const sentAtMs = performance.now()
    const answer = await pool.request({
      path: `/tactics/${tactic}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 200 || !text.includes('"result"')) failed++
    const endedAtMs = performance.now()
    latenciesMs.push(endedAtMs - sentAtMs)
    endsMs.push(endedAtMs)
    if (started >= requests) lastStartMs ??= endedAtMs
  }
}

const steadyFromMs = performance.now() + rampMs * 2
await Promise.all(Array.from({ length: inFlight }, (_, index) => caller(index)))
// Neither the ramp nor the end, when ever fewer calls are under way, says what the service can do.
const steadyToMs = lastStartMs ?? performance.now()
const steady = endsMs.filter((endMs) => endMs >= steadyFromMs && endMs <= steadyToMs).length
const seconds = (steadyToMs - steadyFromMs) / 1000
latenciesMs.sort((left, right) => left - right)
const quantile = (share: number) => latenciesMs[Math.min(requests - 1, Math.floor(requests * share))] ?? 0
process.stdout.write(
  `${JSON.stringify({ failed, perSecond: steady / seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99) })}\n`,
)
await pool.close()
