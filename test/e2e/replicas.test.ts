import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Postgres, postgresFolder, startPostgres } from '../support/postgres.ts'
import { hang, type ProviderRequest, says } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import { config, writePackage } from './support/package.ts'
import { scripted, usage } from './support/service.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'

const isMissing = postgresFolder === undefined
const suite = isMissing ? 'replicas (skipped: there is no PostgreSQL on this machine)' : 'replicas'
/** How much of it: a suite has little time. */
const runCount = Number(process.env['LLLM_TEST_RUNS'] ?? 60)
/** Requests a minute to the model that all replicas may make together. Left out: any number, for a minute is more than a suite has. */
const rate = process.env['LLLM_TEST_RATE']
const outageMs = Number(process.env['LLLM_TEST_OUTAGE_MS'] ?? 1_500)
/** Longer than a process may be silent before others take over. */
const freezeMs = 7_000

const pairPackage = {
  'tactics/pair.ts': `import { Tactic } from 'lllm'
export default class Pair extends Tactic({ name: 'pair', agents: ['one', 'two'] }) {
  async call(task) {
    const first = (await this.agents.one.open('a').receive('first ' + task).respond()).content
    return (await this.agents.two.open('b').receive('second ' + first).respond()).content
  }
}
`,
  'configs/pair.yaml': config('pair', { one: 'You begin.', two: 'You end.' }),
}

type RunBody = Readonly<Record<'id' | 'state' | 'result' | 'attempt' | 'started_at' | 'created_at', string>>

describe.skipIf(isMissing)(suite, { timeout: rate === undefined ? 120_000 : 900_000 }, () => {
  let postgres: Postgres
  let folder = ''
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  async function replicas(
    count: number,
    provider: Awaited<ReturnType<typeof scripted>>,
    env: Record<string, string> = {},
  ) {
    folder = await writePackage(pairPackage)
    const spec = { provider, folder, database: postgres.url, env: { LLLM_RUN_WORKERS: '30', ...env } }
    // One after the other: the second finds the tables that the first has made.
    const services: SpawnedService[] = []
    for (const _ of range(count)) services.push(await spawnService(spec))
    return services as unknown as readonly [SpawnedService, SpawnedService, SpawnedService]
  }

  async function untilEnded(service: SpawnedService, id: string): Promise<RunBody> {
    for (;;) {
      const { status, body } = await service.get<RunBody>(`/runs/${id}/wait?timeout_ms=10000`)
      if (status === 200) return body
    }
  }

  const submit = async (service: SpawnedService, task: string, more = {}) => {
    const { status, body } = await service.post<RunBody>('/tactics/pair/runs', { task, ...more })
    expect(status).toBe(202)
    return body.id
  }

  const becomes = (service: SpawnedService, readiness: number) =>
    vi.waitUntil(async () => (await service.get('/readyz')).status === readiness, { timeout: 60_000, interval: 20 })

  const seconds = ({ lastText }: ProviderRequest) => lastText.startsWith('second')

  test('start each run once, never more than may be under way, and soon', async () => {
    const arrivedAtMs: number[] = []
    const provider = await scripted(async ({ lastText, index }) => {
      arrivedAtMs.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, 2 + (index % 5) * 3))
      return says(`re ${lastText}`, { usage })
    })
    const paced: Record<string, string> = rate === undefined ? {} : { LLLM_PROVIDER_REQUESTS_PER_MINUTE: rate }
    const [one, two, three] = await replicas(3, provider, { LLLM_RUN_CONCURRENCY: '20', ...paced })
    const warm = await untilEnded(two, await submit(one, 'warm'))
    expect(warm).toMatchObject({ state: 'success', result: 're second re first warm' })
    const idleMs: number[] = []
    for (const index of range(9)) {
      const run = await untilEnded(two, await submit([one, two, three][index % 3] as SpawnedService, `idle ${index}`))
      idleMs.push(Date.parse(run.started_at) - Date.parse(run.created_at))
    }
    idleMs.sort((left, right) => left - right)

    const before = provider.requests.length
    const ids = await Promise.all(
      range(runCount).map((index) => submit([one, two, three][index % 3] as SpawnedService, `many ${index}`)),
    )
    const runs = await Promise.all(ids.map((id) => untilEnded(one, id)))
    expect(runs.filter(({ state, attempt }) => state !== 'success' || Number(attempt) !== 1)).toEqual([])
    // Two requests a run, and no more than one of them at a time.
    expect(provider.requests.length - before).toBe(2 * runCount)
    expect(provider.inFlightMax).toBeLessThanOrEqual(20)
    const fullest = fullestMinute(arrivedAtMs)
    if (rate !== undefined) expect(fullest).toBeLessThanOrEqual(Number(rate))
    const owners = [one, two, three].map(({ logLines }) => logLines.filter(({ msg }) => msg === 'run.started').length)
    expect(owners.reduce((sum, count) => sum + count)).toBe(runCount + 10)
    process.stdout.write(
      `${runCount} runs over 3 replicas: started by ${owners}, at most ${provider.inFlightMax} requests at once and ${fullest} in any minute; idle from POST to start p50 ${idleMs[4]} ms, max ${idleMs.at(-1)} ms\n`,
    )
  })

  test('cancel what another one works on, at its provider', async () => {
    const provider = await scripted(() => hang())
    const [one, two] = await replicas(2, provider)
    const id = await submit(one, 'endless')
    await provider.until(({ requests }) => requests.length === 1)
    const owner = one.logLines.some(({ msg, run_id }) => msg === 'run.started' && run_id === id) ? one : two
    const other = owner === one ? two : one
    const askedAtMs = performance.now()
    expect((await other.post(`/runs/${id}/cancel`, { reason: 'not needed' })).status).toBe(202)
    await provider.until(({ aborted }) => aborted === 1)
    const tookMs = performance.now() - askedAtMs
    expect(await untilEnded(other, id)).toMatchObject({ state: 'cancelled', cancel_reason: 'not needed' })
    process.stdout.write(`cancelled from another replica: the request was closed after ${tookMs.toFixed(0)} ms\n`)
  })

  test('take over from one that was killed, and from one that was frozen, which then writes nothing', async () => {
    let answers = false
    const provider = await scripted(async (request) => {
      if (!seconds(request)) return says(`re ${request.lastText}`, { usage })
      return answers ? says('the end', { usage }) : hang()
    })
    const services = await replicas(3, provider)
    const ownerOf = (id: string) =>
      services.find(({ logLines }) => logLines.some(({ msg, run_id }) => msg === 'run.started' && run_id === id))
    const killed = await submit(services[0], 'killed')
    const frozen = await submit(services[1], 'frozen')
    await provider.until(({ requests }) => requests.filter(seconds).length === 2)
    const [dying, freezing] = [ownerOf(killed), ownerOf(frozen)]
    // Both must not fall to one process: then there is nothing to compare.
    const alive = services.find((service) => service !== dying && service !== freezing) as SpawnedService
    answers = true
    freezing?.kill('SIGSTOP')
    const stoppedAtMs = performance.now()
    if (dying !== freezing) dying?.kill('SIGKILL')
    const runs = await Promise.all([untilEnded(alive, killed), untilEnded(alive, frozen)])
    const tookMs = performance.now() - stoppedAtMs
    for (const run of runs) expect(run).toMatchObject({ state: 'success', result: 'the end', attempt: 2 })
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, freezeMs - tookMs)))
    freezing?.kill('SIGCONT')
    // It learns that it has lost the run as soon as it says that it is alive.
    const isItsEnd = ({ msg, run_id }: Readonly<Record<string, unknown>>) => msg === 'run.ended' && run_id === frozen
    const ended = await vi.waitUntil(() => freezing?.logLines.find(isItsEnd), { timeout: 60_000, interval: 20 })
    expect(ended).toMatchObject({ how: 'fenced', attempt: 1 })
    const session = await alive.session(frozen)
    expect(session.agent_calls.map(({ llm_calls }) => llm_calls.length)).toEqual([1, 2])
    expect(session.cost.unpriced_calls).toBe(1)
    expect(provider.requests.filter(({ lastText }) => lastText.startsWith('first'))).toHaveLength(2)
    process.stdout.write(`taken over ${tookMs.toFixed(0)} ms after the owners were gone\n`)
  })

  test('go on after the database was away, without paying twice, and say meanwhile that they are not ready', async () => {
    const gate = Promise.withResolvers<void>()
    const provider = await scripted(async (request) => {
      if (!seconds(request)) return says(`re ${request.lastText}`, { usage })
      await gate.promise
      return says('the end', { usage })
    })
    const [one, two] = await replicas(2, provider)
    const id = await submit(one, 'through an outage')
    await provider.until(({ requests }) => requests.filter(seconds).length === 1)
    await postgres.crash()
    gate.resolve()
    await becomes(one, 503)
    await new Promise((resolve) => setTimeout(resolve, outageMs))
    expect((await one.get('/runs')).status).toBe(503)
    await postgres.start()
    await becomes(one, 200)
    expect(await untilEnded(two, id)).toMatchObject({ state: 'success', result: 'the end', attempt: 1 })
    expect(provider.requests).toHaveLength(2)
    const session = await two.session(id)
    expect(session.llm_call_count).toBe(2)
    expect(session.cost.unpriced_calls).toBe(0)
  })
})

/** The most that arrived in any 60 seconds. */
function fullestMinute(arrivedAtMs: readonly number[]): number {
  let from = 0
  return arrivedAtMs.reduce((most, atMs, index) => {
    while ((arrivedAtMs[from] ?? atMs) <= atMs - 60_000) from += 1
    return Math.max(most, index - from + 1)
  }, 0)
}
