import type { KeyBudget } from '../domain/caller.ts'
import type { JsonObject } from '../domain/json.ts'
import type { Limits } from '../domain/limits.ts'
import type { Run, RunBatch, RunKey, StoredRunEvent } from '../domain/run.ts'
import type { RunFilter, RunPage, RunPosition } from '../domain/run-store.ts'
import type { TraceHeaders } from '../domain/tracing.ts'
import type { PreparedCall } from '../engine/engine.ts'

/** How a run is to be done. */
export interface RunOptions {
  /** Milliseconds that the run may take from its first start, restarts included: 1..`runTimeoutMs` of the settings, which is the default. */
  readonly timeoutMs?: number
  /** USD that the run may cost, everything below it included. Up to 1,000,000. */
  readonly budgetUsd?: number
  /** The key that it is submitted with, where that can be revoked: then it is not started any more. */
  readonly key?: RunKey
  /** What the key may spend that it is submitted with. */
  readonly keyBudget?: KeyBudget
  readonly limits?: Pick<Limits, 'tokens' | 'llmCalls' | 'depth'>
  readonly tags?: Readonly<Record<string, string>>
  readonly metadata?: JsonObject
  /** Of two runs of a tenant that are due the one with more goes first: -1000..1000, default 0. */
  readonly priority?: number
  /** It is not started before, in ms since 1970. Default: at once. */
  readonly runAtMs?: number
  /** Where its end is told. */
  readonly webhook?: { readonly url: string }
  /** The name of the schedule that starts it. */
  readonly schedule?: string
  /** What the run is told below; the runs of a batch are only linked to it. */
  readonly trace?: TraceHeaders
  /** UUIDv7; of a batch: its id. Default: a new one. Submitting again with an id that there is adds nothing. */
  readonly id?: string
}

/** How the dispatcher of this process is. */
export interface RunsHealth {
  /** Runs that wait, over all processes. */
  readonly queued: number
  /** Runs under way, over all processes. */
  readonly running: number
  /** When the first of those that wait was due, or will be, in ms since 1970; null: none waits. */
  readonly oldestDueAtMs: number | null
  /** Runs that this process works on. */
  readonly runningHere: number
}

/**
 * The runs of one tenant. Those of others are not there.
 *
 * Methods that take an id reject with an LllmError `unknown-run` or `unknown-batch`; all of them with `store-unavailable`.
 */
export interface TenantRuns {
  /**
   * Queues a run. Once it resolves, the run survives a kill of the process. Rejects with an LllmError `rate-limited` when the tenant has as
   * many that wait as it may have.
   */
  submit(call: PreparedCall, options?: RunOptions): Promise<Run>
  /** Queues many runs together, all or none: at most 100,000. The options are those of each run. Rejects as `submit`. */
  submitBatch(calls: readonly PreparedCall[], options?: RunOptions): Promise<RunBatch>
  get(id: string): Promise<Run>
  list(filter: RunFilter, limit: number, after?: RunPosition): Promise<RunPage>
  /** Resolves as soon as the run has ended, or after `timeoutMs`, or when the signal aborts, to what it is then. */
  wait(id: string, timeoutMs: number, signal: AbortSignal): Promise<Run>
  /**
   * The events of a run with numbers above `afterSeq`, those of the past first, then as they happen. It ends after the last one, a
   * `result` or an `error`, and when the signal aborts.
   */
  follow(id: string, afterSeq: number, signal: AbortSignal): AsyncIterable<StoredRunEvent>
  /** Cancels a run; one that is under way ends soon after. Rejects with an LllmError `run-conflict` when it has ended. */
  cancel(id: string, reason: string): Promise<Run>
  /**
   * Queues a run again that failed or was cancelled: it goes on from its finished calls, as a run of `key`; left out: of none. Rejects with
   * `run-conflict` in any other state, and as `submit`.
   */
  resume(id: string, key?: RunKey): Promise<Run>
  /** Rejects with an LllmError `run-conflict` when it has not ended. */
  delete(id: string): Promise<void>

  batch(id: string): Promise<RunBatch>
  batches(
    limit: number,
    after?: RunPosition,
  ): Promise<{ readonly data: readonly RunBatch[]; readonly next: RunPosition | null }>
  /** All runs of a batch, by their places in it, a page at a time. */
  batchRuns(id: string): AsyncIterable<Run>
  /** Cancels all of its runs that have not ended. */
  cancelBatch(id: string, reason: string): Promise<RunBatch>
}

/**
 * Work that goes on without its caller. Every door submits here: HTTP, schedules, one's own code. What is submitted and read without
 * saying whose it is, is the default tenant's.
 */
export interface Runs extends TenantRuns {
  of(tenant: string): TenantRuns
  /** Begins to work on runs. Rejects with `store-unavailable` when another process does, and the storage cannot be shared. */
  start(): Promise<void>
  health(): Promise<RunsHealth>
  /** Starts no more runs, waits `graceMs` at the most for those under way, and gives the others back, to be started again by whoever comes. */
  drain(graceMs: number): Promise<void>
}
