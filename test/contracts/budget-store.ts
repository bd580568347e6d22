import { describe, expect, test } from 'vitest'
import type { AllocationChange, BudgetStore } from '../../src/domain/budget-store.ts'

const day = { startsAtMs: 86_400_000, endsAtMs: 2 * 86_400_000 }

function change(more: Partial<AllocationChange> = {}): AllocationChange {
  return { budget: 'day total', value: '', ...day, expectedPicoUsd: 0n, nextPicoUsd: 5n, ...more }
}

/** What every budget store does, wherever it keeps allocations. */
export function budgetStoreContract(name: string, open: () => Promise<BudgetStore>) {
  describe(`${name}: allocations`, () => {
    test('what was never allocated is nothing', async () => {
      expect(await (await open()).load()).toEqual([])
    })

    test('are changed where they are what they are expected to be', async () => {
      const store = await open()
      expect(await store.change([change()])).toEqual([{ isChanged: true, picoUsd: 5n }])
      expect(await store.change([change({ expectedPicoUsd: 5n, nextPicoUsd: 3n })])).toEqual([
        { isChanged: true, picoUsd: 3n },
      ])
      expect(await store.load()).toMatchObject([
        { budget: 'day total', value: '', startsAtMs: 86_400_000, picoUsd: 3n },
      ])
    })

    test('are left alone where they are not, and what they are is told', async () => {
      const store = await open()
      await store.change([change()])
      expect(await store.change([change(), change({ expectedPicoUsd: 4n, nextPicoUsd: 9n })])).toEqual([
        { isChanged: false, picoUsd: 5n },
        { isChanged: false, picoUsd: 5n },
      ])
      expect(await store.load()).toMatchObject([{ picoUsd: 5n }])
    })

    test('are kept apart by budget, value and window, whatever the value is', async () => {
      const store = await open()
      const changes = [
        change(),
        change({ budget: 'month total' }),
        change({ value: 'red' }),
        change({ value: 'a\u0000b \ud800 \\u0041 "' }),
        change({ startsAtMs: 0, endsAtMs: 86_400_000 }),
      ]
      expect((await store.change(changes)).every(({ isChanged }) => isChanged)).toBe(true)
      const loaded = await store.load()
      expect(loaded).toHaveLength(changes.length)
      expect(new Set(loaded.map(({ value }) => value))).toEqual(new Set(changes.map(({ value }) => value)))
    })

    test('hold sums that a number does not hold exactly', async () => {
      const store = await open()
      const nextPicoUsd = 999_999_999_999_999_999n
      await store.change([change({ nextPicoUsd })])
      expect(await store.load()).toMatchObject([{ picoUsd: nextPicoUsd }])
      expect(await store.change([change({ expectedPicoUsd: nextPicoUsd, nextPicoUsd: 1n })])).toMatchObject([
        { isChanged: true },
      ])
    })

    test('of windows that have ended are forgotten, others are not', async () => {
      const store = await open()
      await store.change([change(), change({ startsAtMs: 0, endsAtMs: 86_400_000 })])
      await store.forget(86_400_000)
      expect(await store.load()).toMatchObject([{ startsAtMs: 86_400_000 }])
    })
  })
}
