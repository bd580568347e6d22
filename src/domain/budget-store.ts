import type { BudgetWindow } from './budget.ts'

/** Which budget, of which value of its tag (else an empty text), in which window. */
export interface AllocationKey {
  readonly budget: string
  readonly value: string
  readonly startsAtMs: number
}

/** How much of a budget may have been spent in a window, in pico-USD: what was spent is never more than this. */
export interface Allocation extends AllocationKey {
  readonly picoUsd: bigint
}

/** A change of an allocation, made only if it is still what the caller believes it to be. One that was never made is 0. */
export interface AllocationChange extends AllocationKey, BudgetWindow {
  readonly expectedPicoUsd: bigint
  readonly nextPicoUsd: bigint
}

export interface AllocationResult {
  readonly isChanged: boolean
  /** What is allocated now. */
  readonly picoUsd: bigint
}

/**
 * Keeps how much of each standing budget has been allocated, so that a kill of the process does not make anybody forget it.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else; whether a change
 * was made is then unknown. Any number of calls may be under way at once.
 */
export interface BudgetStore {
  /** All allocations of windows that have not been forgotten. */
  load(): Promise<readonly Allocation[]>
  /** Makes changes, each by itself and all at once. Once it resolves, they survive a kill of the process. */
  change(changes: readonly AllocationChange[]): Promise<readonly AllocationResult[]>
  /** Forgets the windows that had ended at a time in ms since 1970. */
  forget(endedByMs: number): Promise<void>
}
