import { describe, expect, onTestFinished, test } from 'vitest'
import type { ScheduleTick } from '../../src/domain/run-store.ts'
import { range } from '../support/session-stores.ts'
import { claiming, newRun, type OpenedRunStores } from './run-store.ts'

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
    })

    test('come too late once a later one of the schedule was taken, which says nothing of others', async () => {
      const { store, idsOf } = await openStores()
      expect(await store.startTick(tickOf(6_000))).toBe('started')
      expect(await store.startTick(tickOf(5_000))).toBe('taken')
      const run = newRun(5_000, { schedule: 'weekly' })
      expect(await store.startTick(tickOf(5_000, { schedule: 'weekly', run }))).toBe('started')
      expect(await idsOf()).toEqual(['run-5000', 'run-6000'])
    })

    test('skip while an earlier run of the schedule waits or is under way, for all who ask', async () => {
      const { store, other, idsOf } = await openStores()
      const skip = { overlap: 'skip' } as const
      await store.startTick(tickOf(5_000, skip))
      expect(await store.startTick(tickOf(6_000, skip))).toBe('skipped')
      expect(await other.startTick(tickOf(6_000, skip))).toBe('taken')
      await store.claim(claiming)
      expect(await other.startTick(tickOf(7_000, skip))).toBe('skipped')
      expect(await idsOf()).toEqual(['run-5000'])
    })

    test('skip for no run that has ended, and for none of another schedule', async () => {
      const { store, idsOf } = await openStores()
      const run = newRun(1, { schedule: 'weekly' })
      await store.startTick(tickOf(4_000, { schedule: 'weekly', run }))
      await store.startTick(tickOf(5_000, { overlap: 'skip' }))
      await store.cancel('run-5000', 'no need')
      expect(await store.startTick(tickOf(6_000, { overlap: 'skip' }))).toBe('started')
      expect(await idsOf()).toEqual(['run-0001', 'run-5000', 'run-6000'])
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
      expect(await lastOf()).toEqual({ schedule, atMs: 6_000, runId: 'run-6000', state: 'queued' })
      await store.cancel('run-6000', 'no need')
      expect(await lastOf()).toMatchObject({ runId: 'run-6000', state: 'cancelled' })
      await store.delete('run-6000')
      expect(await lastOf()).toEqual({ schedule, atMs: 6_000, runId: 'run-6000', state: null })
    })
  })
}
