import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { defaultTenant } from '../../src/domain/tenant.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openScene, type Scene } from './support/hang-up-scene.ts'
import { type Situation, situations, sumOf } from './support/hang-up-situations.ts'

const files = databaseFiles()

/** A stop has to reach the provider's socket, and end the call, in this time. */
const stopMsMax = 250

async function untilAllAreAt(scene: Scene, all: readonly Situation[]): Promise<void> {
  await vi.waitFor(() => expect(scene.whereabouts()).toEqual(sumOf(all)), { interval: 2, timeout: 10_000 })
}

/** How long it takes until nothing is under way any more, in ms. */
async function measureStop({ provider, callsHeld }: Scene): Promise<number> {
  const leftAtMs = performance.now()
  await vi.waitFor(() => expect([provider.inFlight, callsHeld()]).toEqual([0, 0]), { interval: 1 })
  return performance.now() - leftAtMs
}

describe('a client that hangs up', () => {
  test.each(situations)('of $name', async (situation) => {
    const scene = await openScene()
    const { provider, service } = scene
    const client = new AbortController()
    const ended = Promise.allSettled([scene.call(situation, client.signal)])
    await untilAllAreAt(scene, [situation])

    client.abort()
    expect(await measureStop(scene)).toBeLessThan(stopMsMax)
    await ended
    // Nobody waits to send anything more, so that this is all that was ever sent.
    expect(scene.whereabouts()).toMatchObject({ atProvider: 0, inWait: 0 })
    expect(provider.requests).toHaveLength(situation.requestCount)
    expect(provider.aborted).toBe(situation.at.atProvider ?? 0)
    expect(scene.seen.heeded).toBe(situation.body.task === 'heedful' ? 1 : 0)

    const { data } = await service.runtime.store.list({}, 200)
    const idsOf = (state: string) => data.filter((session) => session.state === state).map(({ id }) => id)
    const [cancelled, success] = [idsOf('cancelled'), idsOf('success')]
    expect({ cancelled: cancelled.length, success: success.length }).toEqual(situation.sessions)
    expect(data).toHaveLength(cancelled.length + success.length)
    for (const id of cancelled) expect(await service.session(id)).toMatchObject(situation.session)
  })
})

describe('a thousand clients that hang up', () => {
  const ofEach = 5
  const crowd = situations.flatMap((situation) => Array<Situation>(ofEach).fill(situation))
  const warmUpRounds = 20
  const rounds = 1_000 / crowd.length
  /** 300 bytes a call: less than anything that a call has, be it a signal, an agent or a request. */
  const heapGrowthBytesMax = 300_000
  /** Thousands of clients: code that V8 compiles takes room once, and what calls leave behind takes it with each thousand. */
  const thousandsMax = 4
  /** More than a crowd needs. */
  const providerConcurrency = 100

  /** Between two looks of somebody, which take a moment, there are just the timers of the service itself. */
  async function fewestTimers(): Promise<number> {
    let fewest = Infinity
    for (let looks = 0; looks < 100; looks++) {
      fewest = Math.min(fewest, countResources('Timeout'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return fewest
  }

  /** Has the crowd call, and hang up as soon as all are where they should be. @returns How long the stop took, in ms. */
  async function playRound(scene: Scene): Promise<number> {
    const client = new AbortController()
    const ended = Promise.allSettled(crowd.map((situation) => scene.call(situation, client.signal)))
    await untilAllAreAt(scene, crowd)
    client.abort()
    const stopMs = await measureStop(scene)
    for (const end of await ended) {
      expect(end).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('aborted') } })
    }
    scene.forget()
    return stopMs
  }

  test('leave nothing behind: no listener, timer, socket or place that is taken, and no memory', async () => {
    const warnings = collectWarnings()
    const database = files.newPath()
    const scene = await openScene({ database, env: { LLLM_PROVIDER_CONCURRENCY: String(providerConcurrency) } })
    // Those who look for work, for what is old and how late the event loop is, and who say that they are alive.
    const timersAtRest = await fewestTimers()
    // What runs for the first time, and tables that grow once, are not what this is about.
    for (let round = 0; round < warmUpRounds; round++) await playRound(scene)
    const stopsMs: number[] = []
    let growthBytes = Infinity
    for (let thousands = 0; thousands < thousandsMax && growthBytes >= heapGrowthBytesMax; thousands++) {
      const heapBytes = usedHeapBytes()
      for (let round = 0; round < rounds; round++) stopsMs.push(await playRound(scene))
      growthBytes = usedHeapBytes() - heapBytes
    }
    expect(stopsMs.toSorted((left, right) => left - right)[Math.floor(stopsMs.length / 2)]).toBeLessThan(stopMsMax)
    expect(growthBytes).toBeLessThan(heapGrowthBytesMax)

    // Sockets of requests that were answered are kept for the next ones, for some seconds.
    await vi.waitFor(() => expect(countResources('TCPSocketWrap')).toBe(0), { timeout: 10_000 })
    expect(await fewestTimers()).toBe(timersAtRest)
    expect(warnings).toEqual([])
    await expectFreePlaces(scene)

    const roundsPlayed = warmUpRounds + stopsMs.length
    const sum = (state: keyof Situation['sessions']) =>
      crowd.reduce((count, { sessions }) => count + sessions[state], 0)
    const { cancelled, success, ...others } = await countStates(scene)
    expect({ cancelled, success }).toEqual({
      cancelled: roundsPlayed * sum('cancelled') + providerConcurrency,
      success: roundsPlayed * sum('success'),
    })
    expect(others).toEqual({})
  })

  /** As many requests as are allowed get to the provider, and as many calls as are allowed into the service. */
  async function expectFreePlaces(scene: Scene): Promise<void> {
    const { provider, service, callsHeld } = scene
    const client = new AbortController()
    const tasks = Array<string>(providerConcurrency).fill('hang')
    const batch = { path: '/tactics/ask/batch', body: { tasks, max_workers: providerConcurrency } }
    const ended = Promise.allSettled([scene.call(batch, client.signal)])
    await provider.until(({ inFlight }) => inFlight === providerConcurrency)
    client.abort()
    await ended
    await measureStop(scene)
    expect(callsHeld()).toBe(0)
    const { admission, settings } = service.server.lllm
    const givePlacesBack = await admission.enter(defaultTenant, settings.callsMax, AbortSignal.timeout(1_000))
    givePlacesBack()
  }
})

async function countStates({ service }: Scene): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const { store } = service.runtime
  for (let page = await store.list({}, 200); ; page = await store.list({}, 200, page.next)) {
    for (const { state } of page.data) counts[state] = (counts[state] ?? 0) + 1
    if (page.next === null) return counts
  }
}

/** What Node warns of during the test: too many listeners, for example. */
function collectWarnings(): readonly Error[] {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  return warnings
}

/** Of one kind, what keeps the process from its end. */
function countResources(kind: string): number {
  return process.getActiveResourcesInfo().filter((active) => active === kind).length
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as NodeJS.GCFunction

/** After so many collections V8 has let go of the code of functions that do not run any more. */
const collections = 8

function usedHeapBytes(): number {
  for (let count = 0; count < collections; count++) {
    collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  return process.memoryUsage().heapUsed
}
