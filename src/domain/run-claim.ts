import type { RunLease } from './run.ts'

/** What a process wants to start. */
export interface ClaimRequest {
  /** Which process asks: unique for each start of a process. */
  readonly owner: string
  /** Runs that it has room for, 1..1000. */
  readonly slots: number
  /** Runs that may be under way at once, over all processes. */
  readonly concurrencyMax: number
  /** How long it may be silent before others may take its runs over. */
  readonly leaseMs: number
  /**
   * Whether it may take runs over whose owner has been silent for too long. After an outage of the storage everybody seems
   * silent, so whoever has not been heard for one lease itself must not.
   */
  readonly takesOver: boolean
}

/** What an owner hears of a run that it works on. */
export interface RunBeat extends RunLease {
  readonly cancelReason: string | null
}
