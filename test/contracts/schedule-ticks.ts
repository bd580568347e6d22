import { describe, expect, onTestFinished, test } from 'vitest'
import type { Run } from '../../src/domain/run.ts'
import type { ScheduleTick } from '../../src/domain/schedule-tick.ts'
import { scheduleOf, startProcess } from '../runs/schedule-house.ts'
import { range } from '../support/session-stores.ts'
import { settle, virtualClock } from '../support/virtual-clock.ts'
import { claiming, endOf, newRun, type OpenedRunStores } from './run-store.ts'

const schedule = 'nightly'

function tickOf(atMs: number, more: Partial<ScheduleTick> = {}): ScheduleTick {
  return { schedule, atMs, overlap: 'allow', run: newRun(atMs, { schedule }), ...more }
}

/** What every store of runs keeps to as to the ticks of schedules. */
export function scheduleTickContract(name: string, open: () => Promise<OpenedRunStores>) {
  async function openStores() {
    const opened = await open()
    onTestFinished(() => opened.close())
    const [store, other] = opened.stores
    const idsOf = async () => (await store.list({}, 100)).data.map(({ id }) => id).sort()
    return { store, other, idsOf }
  }

  describe(`${name}: ticks of schedules`, () => {
    test('start one run each, whoever is first', async () => {
      const { store, other } = await openStores()
      for (const atMs of [5_000, 6_000]) {
        const ticks = range(8).map((number) => tickOf(atMs, { run: newRun(atMs + number, { schedule }) }))
        const answers = await Promise.all(
          ticks.map((tick, number) => (number % 2 === 0 ? store : other).startTick(tick)),
        )
        expect(answers.toSorted()).toEqual(['started', ...range(7).map(() => 'taken')])
      }
      expect((await store.list({}, 10)).data).toHaveLength(2)
      // Once a later one was taken, one that is not comes too late. That says nothing of other schedules.
      expect(await store.startTick(tickOf(5_500))).toBe('taken')
      const run = newRun(1, { schedule: 'weekly' })
      expect(await store.startTick(tickOf(5_500, { schedule: 'weekly', run }))).toBe('started')
    })

    test('start one run each, when three processes compete for 50 of them', async () => {
      const { store, other } = await openStores()
      // Where processes do not share a store, they do not compete: a few show that as well.
      const ticks = range(store.isShared ? 50 : 10)
      const time = virtualClock()
      const schedules = [await scheduleOf({ cron: '* * * * *' })]
      const processes = [store, other, store].map((shared) => startProcess(schedules, shared, time))
      onTestFinished(async () => void (await Promise.all(processes.map(({ working }) => working.close(0)))))
      const allAreDone = async () => {
        while (time.sleeperCount < processes.length) await settle()
      }
      await allAreDone()
      for (const _ of ticks) {
        await time.advance(60_000)
        await allAreDone()
      }
      const { data } = await store.list({}, 200)
      const startedAt = data.map(({ runAtMs }) => (runAtMs - Date.UTC(2026, 0, 1)) / 60_000)
      expect(startedAt.toSorted((left, right) => left - right)).toEqual(ticks.map((number) => number + 1))
      const events = processes.flatMap((process) => process.events)
      expect(events.map(({ type }) => type)).toEqual(ticks.map(() => 'schedule.started'))
    })

    test('skip while an earlier run of their schedule waits or is under way, for all who ask', async () => {
      const { store, other, idsOf } = await openStores()
      const skip = { overlap: 'skip' } as const
      await store.startTick(tickOf(5_000, skip))
      expect(await store.startTick(tickOf(6_000, skip))).toBe('skipped')
      expect(await other.startTick(tickOf(6_000, skip))).toBe('taken')
      const [started] = await store.claim(claiming)
      expect(await other.startTick(tickOf(7_000, skip))).toBe('skipped')
      await store.finish({ runId: 'run-5000', attempt: 1 }, endOf(started as Run))
      expect(await store.startTick(tickOf(8_000, skip))).toBe('started')
      const run = newRun(1, { schedule: 'weekly' })
      expect(await store.startTick(tickOf(8_000, { ...skip, schedule: 'weekly', run }))).toBe('started')
      expect(await idsOf()).toEqual(['run-0001', 'run-5000', 'run-8000'])
    })

    test('cancel what waits at once, and ask what is under way to end; then start theirs', async () => {
      const { store } = await openStores()
      await store.submit({ runs: [newRun(1, { schedule, priority: 5 }), newRun(2, { schedule }), newRun(3)] })
      await store.claim({ ...claiming, slots: 1 })
      const heard: string[] = []
      store.watch((change) => heard.push(change.kind === 'run' ? change.runId : change.kind))
      expect(await store.startTick(tickOf(5_000, { overlap: 'cancel' }))).toBe('started')
      expect(heard).toEqual(['run-0002', 'cancel', 'work', 'work'])
      const states = (await store.list({}, 10)).data.map(({ id, state }) => `${id} ${state}`)
      expect(states.toSorted()).toEqual([
        'run-0001 running',
        'run-0002 cancelled',
        'run-0003 queued',
        'run-5000 queued',
      ])
      const reason = 'the schedule "nightly" starts anew'
      expect(await store.beat('one', 60_000)).toMatchObject([{ runId: 'run-0001', cancelReason: reason }])
    })

    test('are known by the latest of each schedule, with what became of its run', async () => {
      const { store } = await openStores()
      const lastOf = async () => (await store.lastTicks([schedule, 'other']))[0]
      expect(await store.lastTicks([])).toEqual([])
      expect(await lastOf()).toBeUndefined()
      expect(await store.startTick(tickOf(4_000, { run: null }))).toBe('skipped')
      expect(await lastOf()).toEqual({ schedule, atMs: 4_000, runId: null, state: null })
      for (const atMs of [5_000, 6_000]) await store.startTick(tickOf(atMs))
      expect(await store.startTick(tickOf(7_000, { run: null }))).toBe('taken')
      expect(await lastOf()).toEqual({ schedule, atMs: 6_000, runId: 'run-6000', state: 'queued' })
      await store.cancel('run-6000', 'no need')
      expect(await lastOf()).toMatchObject({ runId: 'run-6000', state: 'cancelled' })
      await store.delete('run-6000')
      expect(await lastOf()).toEqual({ schedule, atMs: 6_000, runId: 'run-6000', state: null })
    })
  })
}
