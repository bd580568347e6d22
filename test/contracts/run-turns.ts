import { describe, expect, onTestFinished, test } from 'vitest'
import type { NewRun, Run } from '../../src/domain/run.ts'
import type { ClaimRequest } from '../../src/domain/run-claim.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import { range } from '../support/session-stores.ts'
import { claiming, endOf, newRun, type OpenedRunStores } from './run-store.ts'

/** Whose run every store of runs starts next, wherever it keeps them. */
export function runTurnsContract(name: string, open: () => Promise<OpenedRunStores>) {
  async function openStores() {
    const { stores, close } = await open()
    onTestFinished(() => close())
    return stores
  }
  const many = (count: number, from: number, more: Partial<NewRun>) =>
    range(count).map((number) => newRun(from + number, more))
  const tenantsOf = (runs: readonly Run[]) => runs.map(({ tenant }) => tenant)
  const end = (store: RunStore, run: Run) => store.finish({ runId: run.id, attempt: run.attempt }, endOf(run))

  /** Starts one run after another, as whoever has a place for one, and tells whose they were. */
  async function oneByOne(store: RunStore, count: number, request: Partial<ClaimRequest> = {}) {
    const tenants: string[] = []
    for (const _ of range(count)) {
      const [run] = await store.claim({ ...claiming, ...request, slots: 1, concurrencyMax: 1 })
      if (run === undefined) break
      tenants.push(run.tenant)
      await end(store, run)
    }
    return tenants
  }

  describe(`${name}: runs of several tenants`, () => {
    test('are started for each in turn, whatever their priority and however long they wait', async () => {
      const [store] = await openStores()
      const urgent = { tenant: 'evil', priority: 1_000, runAtMs: 0 }
      await store.submit({ runs: many(50, 0, urgent) })
      expect(await oneByOne(store, 2)).toEqual(['evil', 'evil'])
      await store.submit({ runs: [...many(2, 100, { tenant: 'acme', priority: -1_000 }), newRun(200)] })
      expect(await oneByOne(store, 7)).toEqual(['acme', 'default', 'evil', 'acme', 'evil', 'evil', 'evil'])
    })

    test('get the next place where their tenant has the fewest under way', async () => {
      const [store, other] = await openStores()
      await store.submit({ runs: many(20, 0, { tenant: 'evil' }) })
      expect(await store.claim({ ...claiming, slots: 4 })).toHaveLength(4)
      await store.submit({ runs: [...many(5, 100, { tenant: 'acme' }), ...many(1, 200, { tenant: 'globex' })] })
      expect(tenantsOf(await other.claim({ ...claiming, slots: 4 }))).toEqual(['acme', 'globex', 'acme', 'acme'])
      expect(tenantsOf(await store.claim({ ...claiming, slots: 3 }))).toEqual(['acme', 'evil', 'acme'])
    })

    test('fill all places as long as nobody else waits', async () => {
      const [store] = await openStores()
      const far = Date.now() + 3_600_000
      await store.submit({ runs: [...many(30, 0, { tenant: 'evil' }), newRun(100, { tenant: 'acme', runAtMs: far })] })
      expect(await store.claim({ ...claiming, slots: 25 })).toHaveLength(25)
    })

    test('are ordered by priority and time within their tenant, whichever keys they are of', async () => {
      const [store] = await openStores()
      const [red, blue] = [
        { id: 'red', concurrency: null },
        { id: 'blue', concurrency: 5 },
      ]
      const runs = [
        newRun(1, { key: red }),
        newRun(2, { key: blue }),
        newRun(3),
        newRun(4, { key: red }),
        newRun(5, { priority: 3, key: blue }),
      ]
      await store.submit({ runs })
      const claimed = await store.claim(claiming)
      expect(claimed.map(({ id }) => Number(id.slice(-4)))).toEqual([5, 1, 2, 3, 4])
      expect(claimed.map(({ key }) => key)).toEqual([blue, red, blue, null, red])
    })
  })

  describe(`${name}: runs of a key`, () => {
    const key = { id: 'abcdefghijkm', concurrency: 2 }

    test('are no more at once than the key allows, over all processes, and hold up nobody else', async () => {
      const [store, other] = await openStores()
      await store.submit({ runs: [...many(20, 0, { key, priority: 9 }), ...many(3, 100, {})] })
      const claimed = await store.claim({ ...claiming, slots: 4 })
      expect(claimed.map(({ key: of }) => of?.id ?? null)).toEqual([key.id, key.id, null, null])
      expect(await other.claim(claiming)).toMatchObject([{ key: null }])
      expect(await store.claim(claiming)).toEqual([])
      await end(store, claimed[0] as Run)
      expect(await other.claim(claiming)).toMatchObject([{ key }])
    })

    test('are those of whoever resumed them last', async () => {
      const [store] = await openStores()
      await store.submit({ runs: [newRun(1, { key }), newRun(2, { key })] })
      const next = { id: 'abcdefghijkn', concurrency: 7 }
      for (const by of [next, undefined]) {
        const claimed = await store.claim({ ...claiming, slots: 1 })
        const [run] = claimed as [Run]
        await store.finish({ runId: run.id, attempt: run.attempt }, endOf(run, { state: 'failure' }))
        expect(await store.resume(run.id, by)).toBe('resumed')
        expect(await store.get(run.id)).toMatchObject({ key: by ?? null })
      }
    })
  })

  describe(`${name}: runs that wait`, () => {
    test('are counted for their tenant, due or not, up to a number', async () => {
      const [store] = await openStores()
      const far = Date.now() + 3_600_000
      await store.submit({
        runs: [...many(4, 0, {}), newRun(50, { runAtMs: far }), ...many(3, 100, { tenant: 'acme' })],
      })
      await store.claim({ ...claiming, slots: 2 })
      expect(await store.countQueued(100)).toBe(4)
      expect(await store.countQueued(3)).toBe(3)
      expect(await store.of('acme').countQueued(100)).toBe(2)
      expect(await store.of('globex').countQueued(100)).toBe(0)
    })
  })
}
