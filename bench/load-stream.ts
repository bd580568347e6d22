// A closed loop of readers of streams in a process of its own. Prints one line of JSON: the time to the first piece, and
// how many pieces came.
import { Pool } from 'undici'

const { URL: url = '', TACTIC: tactic = '' } = process.env
const requests = Number(process.env['REQUESTS'])
const inFlight = Number(process.env['IN_FLIGHT'])
const body = JSON.stringify({ task: 'Bees dance to tell each other where flowers are. '.repeat(20) })

const pool = new Pool(url, { connections: inFlight, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
const firstPiecesMs: number[] = []
let started = 0
let failed = 0
let pieces = 0

async function reader() {
  while (started < requests) {
    started++
    const sentAtMs = performance.now()
    const answer = await pool.request({
      path: `/tactics/${tactic}/stream`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    let text = ''
    let firstPieceMs: number | undefined
    for await (const data of answer.body) {
      text += data
      if (firstPieceMs === undefined && text.includes('event: agent.delta')) firstPieceMs = performance.now() - sentAtMs
    }
    if (firstPieceMs === undefined || !text.includes('event: result')) failed++
    else firstPiecesMs.push(firstPieceMs)
    pieces += text.split('event: agent.delta').length - 1
  }
}

await Promise.all(Array.from({ length: inFlight }, reader))
firstPiecesMs.sort((left, right) => left - right)
const quantile = (share: number) => firstPiecesMs[Math.min(requests - 1, Math.floor(requests * share))] ?? 0
process.stdout.write(`${JSON.stringify({ failed, pieces, p50Ms: quantile(0.5), p99Ms: quantile(0.99) })}\n`)
await pool.close()
