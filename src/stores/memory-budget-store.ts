import type { Allocation, AllocationKey, BudgetStore } from '../domain/budget-store.ts'

/** Keeps allocations in this process: they are forgotten with it, and so is what was spent. Its user bounds how many there are. */
export function createMemoryBudgetStore(): BudgetStore {
  const allocations = new Map<string, Allocation & { readonly endsAtMs: number }>()
  const nameOf = ({ budget, value, startsAtMs }: AllocationKey) => JSON.stringify([budget, value, startsAtMs])
  return {
    load: async () => [...allocations.values()],
    change: async (changes) =>
      changes.map(({ expectedPicoUsd, nextPicoUsd, ...key }) => {
        const name = nameOf(key)
        const picoUsd = allocations.get(name)?.picoUsd ?? 0n
        if (picoUsd !== expectedPicoUsd) return { isChanged: false, picoUsd }
        allocations.set(name, { ...key, picoUsd: nextPicoUsd })
        return { isChanged: true, picoUsd: nextPicoUsd }
      }),
    async forget(endedByMs) {
      for (const [name, { endsAtMs }] of allocations) if (endsAtMs <= endedByMs) allocations.delete(name)
    },
  }
}
