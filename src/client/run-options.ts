import type { JsonObject } from '../domain/json.ts'
import { type CallLimits, defined, type KeyedOptions, toLimitFields } from './call-options.ts'
import { toTime } from './session-client.ts'

/** What all runs take. */
interface SubmitOptions extends KeyedOptions {
  /** Of the request that submits: once that is answered, the run goes on by itself. */
  readonly signal?: AbortSignal
  /** The name of one of the tactic's configs. Default: its first. */
  readonly config?: string
  /** Labels by which runs, sessions and costs are filtered and grouped: up to 32. */
  readonly tags?: Readonly<Record<string, string>>
  /** Any JSON object of up to 16 KiB, kept with the run and its session. */
  readonly metadata?: JsonObject
  /** Milliseconds from the first start of a run until it ends, restarts included. Default: as long as the service allows. */
  readonly timeoutMs?: number
  /** What a run may take beside money, everything below it included. What is left out is not limited. */
  readonly limits?: CallLimits
  /** Of two runs that are due the one with more is started first: -1000..1000, default 0. */
  readonly priority?: number
  /** It is not started before. A text is RFC 3339, or a day. Default: at once. */
  readonly runAt?: Date | string
  /** Where its end is told. */
  readonly webhook?: { readonly url: string }
}

export interface RunOptions extends SubmitOptions {
  /** USD that the run may cost, sub-tactics and retries included. Above 0, up to 1,000,000. */
  readonly budgetUsd?: number
}

export interface RunBatchOptions extends SubmitOptions {
  /** USD that each of the runs may cost, and not their sum. Above 0, up to 1,000,000. */
  readonly runBudgetUsd?: number
}

/** The fields of a body that runs have in common. */
export function toRunFields(options: SubmitOptions): Readonly<Record<string, unknown>> {
  const { config, tags, metadata, timeoutMs, limits, priority, runAt, webhook } = options
  return defined({
    config,
    tags,
    metadata,
    timeout_ms: timeoutMs,
    limits: limits && toLimitFields(limits),
    priority,
    run_at: runAt === undefined ? undefined : toTime(runAt),
    webhook,
  })
}

/** The request that submits is short, however long the run may take. */
export function toSubmitOptions({ signal, idempotencyKey }: SubmitOptions) {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}
