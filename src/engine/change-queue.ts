import type { AllocationChange, AllocationResult, BudgetStore } from '../domain/budget-store.ts'
import { gather } from '../domain/gather.ts'

/** What one transaction takes. */
const changesPerWriteMax = 500

/** Gathers changes. Each account has one under way at most, so there are never more of them than accounts. */
export function createChangeQueue(
  store: Pick<BudgetStore, 'change'>,
): (change: AllocationChange) => Promise<AllocationResult> {
  return gather((changes: readonly AllocationChange[]) => store.change(changes), changesPerWriteMax).add
}
