import { createHash } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import { eventsOf, type StreamEvent } from '../http/stream-client.ts'
import { databaseFiles } from '../support/database-files.ts'
import { startPostgres } from '../support/postgres.ts'
import type { ProviderRequest, ScriptLine } from '../support/scripted-provider.ts'
import { callsTool, json, says } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import { writePackage } from './support/package.ts'
import { replyUsd, scripted, usage } from './support/service.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'
import { survivingPackage } from './support/surviving-package.ts'

/** How much of it: a suite has little time. With more of both it takes minutes. */
const runCount = Number(process.env['LLLM_TEST_RUNS'] ?? 16)
const killCount = Number(process.env['LLLM_TEST_KILLS'] ?? 3)
/** Requests that a run makes when nothing disturbs it, and one or two fewer. */
const requestsPerRun = 14

/** SQLite, or `postgresql`, where each kill costs the time after which a silent process is taken for dead. */
const kind = process.env['LLLM_TEST_RUNS_ON'] ?? 'sqlite'

const files = databaseFiles()

async function newDatabase(): Promise<string> {
  if (kind !== 'postgresql') return files.newPath()
  const { url, stop } = await startPostgres()
  onTestFinished(stop)
  return url
}

const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** Answers depend on nothing but what is asked, and take a moment. */
async function reply({ messages, lastText, index }: ProviderRequest): Promise<ScriptLine> {
  const isSlow = lastText.startsWith('run slow')
  await new Promise((resolve) => setTimeout(resolve, isSlow ? 80 : 5 + (index % 7) * 5))
  if (lastText.startsWith('look up ')) return callsTool('lookup', { word: lastText.slice(8) }, { usage })
  const asked = messages.find(({ role, content }) => role === 'user' && String(content).startsWith('write '))
  if (asked === undefined) return says(`${lastText.split(' ')[0]}-${short(lastText)}`, { usage })
  // The first reply is none that fits; told so, the model repairs it.
  return messages.length === 2
    ? says('Here you are!', { usage })
    : json({ text: `done ${short(String(asked.content))}` }, { usage })
}

/** Reads the events of a run to their end, through as many services as it takes. */
async function readToEnd(id: string, service: () => Promise<SpawnedService>): Promise<readonly StreamEvent[]> {
  const events: StreamEvent[] = []
  for (;;) {
    const { url } = await service()
    try {
      const lastId = events.at(-1)?.id ?? 0
      const answer = await fetch(`${url}/runs/${id}/events`, { headers: { 'last-event-id': `${lastId}` } })
      for await (const event of eventsOf(answer)) {
        events.push(event)
        if (event.name === 'end') return events
      }
    } catch {
      // The process was killed: the next one goes on where this one was cut off.
    }
  }
}

function llmCallsOf({
  agent_calls,
  sub_sessions,
}: SessionRecord): readonly SessionRecord['agent_calls'][number]['llm_calls'][number][] {
  return [...agent_calls.flatMap(({ llm_calls }) => llm_calls), ...sub_sessions.flatMap(llmCallsOf)]
}

const countTexts = (requests: readonly ProviderRequest[]) => {
  const counts = new Map<string, number>()
  // What has lost a race has not come to its end, and is asked for again.
  for (const { messages, lastText } of requests) {
    if (lastText.startsWith('run slow')) continue
    const text = JSON.stringify(messages)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

test('runs survive kill -9: right answers, nothing finished is asked again, every reply is paid for once', {
  timeout: 900_000,
}, async () => {
  const provider = await scripted(reply)
  const folder = await writePackage(survivingPackage)
  const database = await newDatabase()
  const env = { LLLM_RUN_WORKERS: '6', LLLM_RUN_ATTEMPTS_MAX: '1000' }
  const start = () => spawnService({ provider, folder, database, env })
  const tasks = range(runCount).map((number) => `task ${number}`)

  let current = start()
  const submitted = await (await current).post<{ readonly id: string }>('/tactics/tree/batches', { tasks })
  expect(submitted.status).toBe(202)
  const { text: listed } = await (await current).get(`/batches/${submitted.body.id}/results`)
  const ids = listed
    .trim()
    .split('\n')
    .map((line) => String(JSON.parse(line).run_id))
  const reading = ids.slice(0, 3).map((id) => readToEnd(id, () => current))

  const kills = range(killCount).map(() => Math.ceil(Math.random() * runCount * requestsPerRun))
  for (const killAfter of kills.sort((left, right) => left - right)) {
    await provider.until(({ requests }) => requests.length >= killAfter)
    const killed = await current
    killed.kill('SIGKILL')
    await killed.exited
    current = start()
    await current
  }

  const service = await current
  const runs = []
  for (const id of ids) {
    for (;;) {
      const { status, body } = await service.get<{ readonly state: string; readonly result: string }>(
        `/runs/${id}/wait?timeout_ms=60000`,
      )
      if (status === 200) {
        runs.push(body)
        break
      }
    }
  }
  expect(new Set(runs.map(({ state }) => state))).toEqual(new Set(['success']))
  const asked = countTexts(provider.requests)
  const sessions = await Promise.all(ids.map((id) => service.session(id)))
  const calls = sessions.flatMap(llmCallsOf)
  const lost = calls.filter(({ error }) => error?.code === 'lost').length

  // Undisturbed, the same tasks come to the same, and ask the same.
  const before = provider.requests.length
  for (const [index, task] of tasks.entries()) {
    const { status, body } = await service.call('tree', task)
    expect(status).toBe(200)
    expect(runs[index]?.result).toBe(body.result)
  }
  let askedAgain = 0
  for (const [text, count] of countTexts(provider.requests.slice(before))) askedAgain += (asked.get(text) ?? 0) - count
  expect(askedAgain).toBeGreaterThanOrEqual(0)
  expect(askedAgain).toBeLessThanOrEqual(lost)

  const paid = calls.filter(({ error }) => error === null)
  const replies = new Set(paid.map(({ response }) => response?.id))
  expect(replies.size).toBe(paid.length)
  const priced = paid.reduce((sum, { cost }) => sum + (cost.cost_usd ?? 0), 0)
  expect(priced).toBeCloseTo(paid.length * replyUsd, 9)
  for (const session of sessions) {
    const own = llmCallsOf(session).reduce((sum, { cost }) => sum + (cost.cost_usd ?? 0), 0)
    expect(session.cost.cost_usd ?? 0).toBeCloseTo(own, 9)
    expect(session.cost.unpriced_calls).toBe(llmCallsOf(session).filter(({ cost }) => cost.unpriced_calls > 0).length)
  }

  for (const [index, live] of (await Promise.all(reading)).entries()) {
    const later = await readToEnd(ids[index] ?? '', async () => service)
    expect(live).toEqual(later)
    expect(live.map(({ id }) => id)).toEqual(live.map(({ id }) => id).toSorted((left, right) => left - right))
    expect(live.filter(({ name }) => name === 'result')).toHaveLength(1)
    expect(live.filter(({ name }) => name === 'session.started')).toHaveLength(1)
    const started = live.filter(({ name }) => name === 'agent.started').map(({ data }) => data['call_id'])
    expect(new Set(started).size).toBe(started.length)
  }
  process.stdout.write(
    `${runCount} runs on ${kind}, ${killCount} kills: ${askedAgain} requests were asked again, ${lost} were lost in flight, ${paid.length} replies paid for\n`,
  )
})
