import type { BudgetWindow } from '../domain/budget.ts'
import type { AllocationChange, AllocationKey, AllocationResult } from '../domain/budget-store.ts'
import type { Allowance } from './account.ts'

/** An allocation is raised by at least this share of the limit, so that there are few writes; a kill forfeits as much. */
const chunksPerLimit = 100n

export interface DurableAllowanceParts {
  readonly key: AllocationKey & BudgetWindow
  readonly limitPicoUsd: bigint
  /** What the store said at the start. All of it counts as spent: by this process's past, or by others. */
  readonly allocatedPicoUsd: bigint
  change(change: AllocationChange): Promise<AllocationResult>
  /** What is spent and reserved now. */
  usedPicoUsd(): bigint
  /** Is told what has been allocated elsewhere meanwhile. */
  onSpentElsewhere(picoUsd: bigint): void
}

/** Lets money be spent only after the store has been told of it, so that what a killed process spent is never forgotten. */
export interface DurableAllowance extends Allowance {
  /** Gives back what was not used. Nothing is spent afterwards. Rejects when the store fails. */
  giveBack(): Promise<void>
}

/**
 * What may be used is never more than what the store holds: it is raised after the write, and lowered before it. Writes
 * come one after another, each on condition that the store still holds what was written last.
 */
export function openDurableAllowance(parts: DurableAllowanceParts): DurableAllowance {
  const { key, limitPicoUsd, change, usedPicoUsd, onSpentElsewhere } = parts
  const chunk = limitPicoUsd / chunksPerLimit + 1n
  let stored = parts.allocatedPicoUsd
  let usable = parts.allocatedPicoUsd
  let raising = 0
  let writing: Promise<void> | undefined

  /** Never while another write is under way. */
  function write(nextPicoUsd: bigint): Promise<void> {
    writing = change({ ...key, expectedPicoUsd: stored, nextPicoUsd })
      .then(({ isChanged, picoUsd }) => {
        if (isChanged) usable = nextPicoUsd
        else learn(picoUsd)
        stored = picoUsd
      })
      .finally(() => {
        writing = undefined
      })
    return writing
  }

  /**
   * The store does not hold what was written last: someone else allocated, or a write of our own arrived of which we were
   * told that it failed. What there is more counts as spent in either case. What there is less is left alone.
   */
  function learn(picoUsd: bigint) {
    const elsewhere = picoUsd - stored
    if (elsewhere <= 0n) return
    usable += elsewhere
    onSpentElsewhere(elsewhere)
  }

  /** Keeps what a kill would forfeit small, and the store true where a provider took more than it could. */
  function trim() {
    const used = usedPicoUsd()
    const isOff = used > usable || usable - used > 2n * chunk
    if (!isOff || raising > 0 || writing !== undefined) return
    usable = used > usable ? used : used + chunk
    // When it fails the store holds something else than is thought, and the next write finds out.
    write(usable).then(trim, () => undefined)
  }

  async function written(): Promise<void> {
    // The failure of a write is for whoever began it.
    while (writing !== undefined) await writing.catch(() => undefined)
  }

  return {
    covers: (picoUsd) => picoUsd <= usable,
    async raise(picoUsd) {
      raising++
      try {
        await written()
        if (picoUsd <= usable) return
        const next = picoUsd > usable + chunk ? picoUsd : usable + chunk
        await write(next < limitPicoUsd ? next : limitPicoUsd)
      } finally {
        raising--
      }
    },
    lower: trim,
    async giveBack() {
      await written()
      if (stored !== usedPicoUsd()) await write(usedPicoUsd())
    },
  }
}
