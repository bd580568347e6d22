import type { ErrorCode } from '../domain/errors.ts'
import type { JsonObject } from '../domain/json.ts'
import type { ProblemRecord } from '../domain/problem-record.ts'
import type { RunState } from '../domain/run.ts'
import type { CostRecord } from '../domain/session-record.ts'
import type { CallAnswer } from './answers.ts'
import type { StreamEvent } from './events.ts'

// Answers are given as the service sends them, as those of calls are.

/** What is known of every run. */
interface RunFacts {
  readonly id: string
  readonly tactic: string
  /** `package::name` */
  readonly tactic_id: string
  /** How often it was started. */
  readonly attempt: number
  readonly priority: number
  readonly created_at: string
  /** It is not started before. */
  readonly run_at: string
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly duration_ms: number | null
  readonly cancel_reason: string | null
  readonly batch_id: string | null
  /** The place of its task in the batch, from 0. */
  readonly batch_index: number | null
  readonly schedule: string | null
  /** Once it has ended, its session is found by it. */
  readonly session_id: string
  readonly tags: Readonly<Record<string, string>>
  readonly llm_calls: number
  /** In USD, once it has ended; null where nothing could be priced. */
  readonly cost_usd: number | null
}

/** A run in a list. */
export interface RunItem extends RunFacts {
  readonly state: RunState
}

/** A run that was changed with a key that may not look at it. */
export type ChangedRun = Omit<RunItem, 'tags'>

interface RunTexts extends RunFacts {
  readonly expired: false
  readonly metadata: JsonObject
  readonly config: string
  readonly timeout_ms: number
  readonly budget_usd: number | null
  readonly limits: { readonly tokens?: number; readonly llm_calls?: number; readonly depth?: number }
  readonly webhook: { readonly url: string } | null
  readonly task: unknown
  readonly cost: CostRecord
  /** What is kept of its texts once it has ended. Left out: all of them. `none`: its result alone. */
  readonly content?: 'redacted' | 'none'
}

/** Why a run has no result. */
export interface RunError {
  readonly code: ErrorCode
  readonly message: string
  readonly [detail: string]: unknown
}

/** A run that has ended. */
export type EndedRun<Output = unknown> = RunTexts &
  (
    | { readonly state: 'success'; readonly result: Output; readonly error: null }
    | { readonly state: 'failure' | 'cancelled'; readonly result: null; readonly error: RunError }
  )

/** A run that has ended, of which its service does not keep any more what it was about and came to. It cannot go on. */
export interface ExpiredRun extends RunFacts {
  readonly expired: true
  readonly state: 'success' | 'failure' | 'cancelled'
  readonly metadata: JsonObject
  readonly config: null
  readonly timeout_ms: null
  readonly budget_usd: null
  readonly limits: Readonly<Record<string, never>>
  readonly webhook: null
  readonly task: null
  readonly result: null
  readonly error: null
  readonly cost: CostRecord
  readonly content?: never
}

export type RunRecord<Output = unknown> =
  | EndedRun<Output>
  | ExpiredRun
  | (RunTexts & { readonly state: 'queued' | 'running'; readonly result: null; readonly error: null })

/** What happens in a run: the events of a stream, and how it ended, which is the last one. `id` is where a later reader goes on. */
export type RunEvent<Output = unknown> = { readonly id: number } & (
  | StreamEvent
  /** It had ended, and goes on. */
  | { readonly type: 'run.resumed'; readonly session_id: string }
  | ({ readonly type: 'result' } & CallAnswer<Output>)
  | { readonly type: 'error'; readonly problem: ProblemRecord }
)

/** Many runs that were submitted together. */
export interface RunBatchRecord {
  readonly id: string
  readonly tactic: string
  readonly tactic_id: string
  readonly tags: Readonly<Record<string, string>>
  readonly created_at: string
  /** How many of its runs are in each state. */
  readonly counts: Readonly<Record<RunState, number>>
  /** The sum of the runs that have ended. */
  readonly cost: CostRecord
  readonly cost_usd: number | null
}

/** What is run at which times. */
export interface ScheduleRecord {
  readonly name: string
  readonly tactic: string
  /** `package::name` */
  readonly tactic_id: string
  readonly cron: string
  readonly time_zone: string
  /** What a tick does where an earlier run has not ended. */
  readonly overlap: 'skip' | 'allow' | 'cancel'
  /** What becomes of ticks at which nobody worked. */
  readonly catch_up: 'none' | 'last'
  readonly next_at: string | null
  /** The latest tick that was taken. `run_id` is null where it started none, `state` also where the run was deleted. */
  readonly last: { readonly at: string; readonly run_id: string | null; readonly state: RunState | null } | null
}

interface ResultPlace {
  /** Of its task. */
  readonly index: number
  readonly run_id: string
  readonly cost_usd: number | null
}

/** What a run of a batch came to. */
export type RunResult<Output = unknown> =
  | (ResultPlace & { readonly status: 'success'; readonly result: Output })
  | (ResultPlace & { readonly status: 'failure' | 'cancelled'; readonly error: ProblemRecord })
  | (ResultPlace & { readonly status: 'queued' | 'running' })
  /** What it came to is not kept any more. */
  | (ResultPlace & { readonly status: 'expired' })
