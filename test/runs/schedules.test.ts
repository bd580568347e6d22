import { testRuntime } from 'lllm/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import { openRuns } from '../../src/open-runs.ts'
import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { systemWorld } from '../../src/system-world.ts'
import { settle, virtualClock } from '../support/virtual-clock.ts'
import { type ScheduleSketch, scheduleOf, startProcess } from './schedule-house.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/** A store of runs that nobody works on, and processes that come and go. The clock begins with 2026, unless it is told when. */
function openTimes(begins = '2026-01-01') {
  const time = virtualClock(undefined, Date.parse(begins))
  const store = createMemoryRuns(createMemorySessionStore(), () => time.clock.now()).runs
  return {
    time,
    store,
    async begin(sketches: readonly ScheduleSketch[], runs: Pick<RunStore, 'startTick' | 'lastTicks'> = store) {
      const schedules = await Promise.all(sketches.map(scheduleOf))
      const process = startProcess(schedules, runs, time)
      onTestFinished(() => process.working.close(0))
      await settle()
      return process
    },
    runs: async () => (await store.list({}, 200)).data.toReversed(),
  }
}

describe('a schedule', () => {
  test('starts a run at each of its ticks, with all that is asked of it', async () => {
    const { time, begin, runs, store } = openTimes()
    const options = { tags: { team: 'red' }, priority: 7, metadata: { from: 'test' }, timeoutMs: 5_000, budgetUsd: 0.5 }
    const { told } = await begin([{ cron: '*/20 * * * *', task: 'bees', options }])
    await time.advance(hourMs)
    expect(told()).toEqual(['started 2026-01-01T00:20', 'started 2026-01-01T00:40', 'started 2026-01-01T01:00'])
    const [first] = await runs()
    expect(await store.get(first?.id ?? '')).toMatchObject({
      tactic: 'summary',
      tacticId: 'house::summary',
      schedule: 'minutely',
      tags: { team: 'red' },
      priority: 7,
      createdAtMs: Date.UTC(2026, 0, 1, 0, 20),
      runAtMs: Date.UTC(2026, 0, 1, 0, 20),
      request: { task: 'bees', config: 'default', timeoutMs: 5_000, budgetUsd: 0.5, metadata: { from: 'test' } },
    })
  })

  test('goes on beside others, each at its own times', async () => {
    const { time, begin } = openTimes()
    const { events } = await begin([
      { name: 'hourly', cron: '@hourly' },
      { name: 'often', cron: '0 */25 * * * *' },
      { name: 'never again', cron: '0 0 29 2 *' },
    ])
    await time.advance(hourMs)
    expect(events.map((event) => ('schedule' in event ? event.schedule : ''))).toEqual([
      'often',
      'often',
      'hourly',
      'often',
    ])
  })

  test('is told with its next tick and what came of its last one', async () => {
    const { time, begin, store, runs } = openTimes()
    const { working } = await begin([{ cron: '@hourly' }, { name: 'later', cron: '@daily' }])
    await time.advance(hourMs)
    const [run] = await runs()
    await store.cancel(run?.id ?? '', 'no need')
    expect(await working.list()).toMatchObject([
      {
        schedule: { name: 'minutely' },
        nextAtMs: Date.UTC(2026, 0, 1, 2),
        last: { atMs: Date.UTC(2026, 0, 1, 1), runId: run?.id, state: 'cancelled' },
      },
      // It is known from its last tick before it was first seen on.
      {
        schedule: { name: 'later' },
        nextAtMs: Date.UTC(2026, 0, 2),
        last: { atMs: Date.UTC(2026, 0, 1), runId: null },
      },
    ])
  })

  test('is one tenant’s, as are its runs', async () => {
    const { time, begin, store, runs } = openTimes()
    const { working } = await begin([{ cron: '@hourly', tenant: 'acme' }])
    await time.advance(hourMs)
    expect(await working.list()).toEqual([])
    expect(await runs()).toEqual([])
    const [status] = await working.of('acme').list()
    expect((await store.of('acme').list({}, 10)).data.map(({ id }) => id)).toEqual([status?.last?.runId])
  })

  test('ends at once when it is closed, and starts nothing more', async () => {
    const { time, begin, runs } = openTimes()
    const { working } = await begin([{}])
    await time.advance(minuteMs)
    await working.close(10_000)
    expect(time.sleeperCount).toBe(0)
    await time.advance(hourMs)
    expect(await runs()).toHaveLength(1)
  })

  test('is not waited for longer than its grace where the store does not answer', async () => {
    const { time, begin } = openTimes()
    const stuck = { startTick: () => new Promise<never>(() => {}), lastTicks: async () => [] }
    const { working } = await begin([{}], stuck)
    await time.advance(minuteMs)
    const closed = working.close(5_000)
    await time.advance(5_000)
    await closed
  })
})

test.each([
  ['is skipped', '2026-03-28T20:00Z', ['started 2026-03-29T01:00']],
  ['comes twice', '2026-10-24T20:00Z', ['started 2026-10-25T00:30']],
])('a time of the day in an hour that %s starts one run that day', async (_how, begins, told) => {
  const { time, begin } = openTimes(begins)
  const nightly = await begin([{ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }])
  await time.advance(24 * hourMs)
  expect(nightly.told()).toEqual(told)
})

test('schedules are started where runs are worked on, and nowhere else', async () => {
  const { store } = openTimes()
  const settings = { runWorkers: 1, runConcurrency: 1, runTimeoutMs: 60_000, runAttemptsMax: 1, queuedRunsMax: 1 }
  const { engine } = await testRuntime({ tactics: [] })
  const startedIn: string[] = []
  for (const role of ['server', 'worker', 'all'] as const) {
    const besides = [{ start: () => void startedIn.push(role), close: async () => {} }]
    const parts = { world: systemWorld, keys: { refusalOf: async () => undefined }, besides }
    const runs = openRuns({ ...settings, role }, { ...store, isShared: true }, engine, parts)
    await runs.start()
    await runs.drain(0)
  }
  expect(startedIn).toEqual(['worker', 'all'])
})

describe('while an earlier run has not ended', () => {
  test('skip starts none, and goes on when it has', async () => {
    const { time, begin, runs, store } = openTimes()
    const { told } = await begin([{ overlap: 'skip' }])
    await time.advance(2 * minuteMs)
    const [run] = await runs()
    await store.cancel(run?.id ?? '', 'no need')
    await time.advance(minuteMs)
    expect(told()).toEqual(['started 2026-01-01T00:01', 'skipped 2026-01-01T00:02', 'started 2026-01-01T00:03'])
  })

  test('allow starts another one', async () => {
    const { time, begin, runs } = openTimes()
    await begin([{ overlap: 'allow' }])
    await time.advance(2 * minuteMs)
    expect((await runs()).map(({ state }) => state)).toEqual(['queued', 'queued'])
  })

  test('cancel ends it, and starts the next', async () => {
    const { time, begin, runs } = openTimes()
    await begin([{ overlap: 'cancel' }])
    await time.advance(3 * minuteMs)
    expect((await runs()).map(({ state, cancelReason }) => [state, cancelReason])).toEqual([
      ['cancelled', 'the schedule "minutely" starts anew'],
      ['cancelled', 'the schedule "minutely" starts anew'],
      ['queued', null],
    ])
  })
})

describe('after a time at which nobody worked', () => {
  async function afterDowntime(sketch: ScheduleSketch, downMs: number) {
    const { time, begin, runs } = openTimes()
    const before = await begin([sketch])
    await time.advance(hourMs + secondMs)
    await before.working.close(0)
    await time.advance(downMs)
    const after = await begin([sketch])
    await time.advance(secondMs)
    return { told: after.told(), count: (await runs()).length, time, after }
  }

  test('none drops what was missed, says so, and goes on with the next tick', async () => {
    const { told, time, after } = await afterDowntime({ cron: '@hourly' }, 5.5 * hourMs)
    expect(told).toEqual(['missed 2026-01-01T06:00'])
    await time.advance(hourMs)
    expect(after.told()).toEqual(['missed 2026-01-01T06:00', 'started 2026-01-01T07:00'])
  })

  test('last starts the latest of the missed ticks, once', async () => {
    const { told, count, time, after } = await afterDowntime({ cron: '@hourly', catchUp: 'last' }, 5.5 * hourMs)
    expect(told).toEqual(['started 2026-01-01T06:00'])
    expect(count).toBe(2)
    await time.advance(hourMs)
    expect(after.told()).toEqual(['started 2026-01-01T06:00', 'started 2026-01-01T07:00'])
  })

  test('last starts what was missed before the first tick of the schedule, too', async () => {
    const { time, begin } = openTimes()
    const before = await begin([{ cron: '@daily', catchUp: 'last' }])
    await before.working.close(0)
    await time.advance(25 * hourMs)
    const { told } = await begin([{ cron: '@daily', catchUp: 'last' }])
    await time.advance(secondMs)
    expect(told()).toEqual(['started 2026-01-02T00:00'])
  })

  test.each(['none', 'last'] as const)('%s starts nothing where nothing was missed', async (catchUp) => {
    expect((await afterDowntime({ cron: '@daily', catchUp }, hourMs)).told).toEqual([])
    const { begin, time, runs } = openTimes()
    await begin([{ cron: '30 12 * * *', catchUp }])
    await time.advance(secondMs)
    expect(await runs()).toEqual([])
  })

  test.each(['none', 'last'] as const)('%s starts a tick that is late by no more than a minute', async (catchUp) => {
    const { told } = await afterDowntime({ cron: '@hourly', catchUp }, hourMs + 58 * secondMs)
    expect(told).toEqual(['started 2026-01-01T02:00'])
  })

  test('each tick of the last minute is started, in its order', async () => {
    const { time, begin } = openTimes()
    const before = await begin([{ cron: '*/15 * * * * *' }])
    await before.working.close(0)
    await time.advance(5 * minuteMs)
    const { told, events } = await begin([{ cron: '*/15 * * * * *' }])
    await time.advance(0)
    expect(told()).toEqual([
      'missed 2026-01-01T00:03',
      ...['04', '04', '04', '04', '05'].map((minute) => `started 2026-01-01T00:${minute}`),
    ])
    const times = events.flatMap((event) => ('runId' in event ? [event.atMs] : []))
    expect(times).toEqual(times.toSorted((left, right) => left - right))
  })
})

describe('while the store does not answer', () => {
  const away = new LllmError('store-unavailable', 'The database is away.')

  function unreliable(store: RunStore) {
    const state = { isAway: false }
    const guard = <Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
      return async (...args: Args) => {
        if (state.isAway) throw away
        return call(...args)
      }
    }
    return { state, startTick: guard(store.startTick), lastTicks: guard(store.lastTicks) }
  }

  test('a tick is tried again until it is too late, and the outage is told once', async () => {
    const { time, begin, store } = openTimes()
    const runs = unreliable(store)
    const { told } = await begin([{ cron: '@hourly' }], runs)
    runs.state.isAway = true
    await time.advance(hourMs + 20 * secondMs)
    runs.state.isAway = false
    await time.advance(2 * secondMs)
    expect(told()).toEqual(['store-failed', 'started 2026-01-01T01:00'])
    runs.state.isAway = true
    await time.advance(hourMs + 5 * minuteMs)
    runs.state.isAway = false
    await time.advance(2 * secondMs)
    expect(told().slice(2)).toEqual(['store-failed', 'missed 2026-01-01T02:00'])
  })

  test('what another process has started meanwhile was not missed', async () => {
    const { time, begin, store } = openTimes()
    const runs = unreliable(store)
    const cutOff = await begin([{ cron: '@hourly' }], runs)
    await begin([{ cron: '@hourly' }])
    runs.state.isAway = true
    await time.advance(hourMs + 5 * minuteMs)
    runs.state.isAway = false
    await time.advance(2 * secondMs)
    expect(cutOff.told()).toEqual(['store-failed'])
  })

  test('a process that begins then begins when it answers', async () => {
    const { time, begin, store } = openTimes()
    const runs = unreliable(store)
    runs.state.isAway = true
    const { told } = await begin([{}], runs)
    await time.advance(30 * secondMs)
    runs.state.isAway = false
    await time.advance(30 * secondMs)
    expect(told()).toEqual(['store-failed', 'started 2026-01-01T00:01'])
  })
})
