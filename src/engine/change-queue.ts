import type { AllocationChange, AllocationResult, BudgetStore } from '../domain/budget-store.ts'

/** What one transaction takes. */
const changesPerWriteMax = 500

interface WaitingChange {
  readonly change: AllocationChange
  resolve(result: AllocationResult): void
  reject(reason: unknown): void
}

/**
 * Gathers changes by natural batching: what comes while others are being written is written together, next. Each account
 * has one change under way at most, so there are never more of them than accounts.
 */
export function createChangeQueue(store: Pick<BudgetStore, 'change'>) {
  let waiting: WaitingChange[] = []
  let isWriting = false

  async function writeAll() {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, changesPerWriteMax)
      waiting = waiting.slice(changesPerWriteMax)
      await writeBatch(batch)
    }
    isWriting = false
  }

  async function writeBatch(batch: readonly WaitingChange[]) {
    try {
      const results = await store.change(batch.map(({ change }) => change))
      for (const [index, result] of results.entries()) batch[index]?.resolve(result)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (change: AllocationChange): Promise<AllocationResult> =>
    new Promise((resolve, reject) => {
      waiting.push({ change, resolve, reject })
      if (!isWriting) void writeAll()
    })
}
