import type { KeyBudget } from './caller.ts'
import type { Cost } from './cost.ts'
import type { EngineEvent } from './event.ts'
import type { JsonObject } from './json.ts'
import type { ErrorRecord, SessionState } from './session.ts'
import type { StoreContent } from './store-content.ts'
import type { TraceHeaders } from './tracing.ts'

/**
 * A run is a call that outlives its caller, and the process that works on it. It is a session with a life of its own: its id
 * is that of the session that it ends with.
 */
export type RunState = 'queued' | SessionState
export const runStates: readonly RunState[] = ['queued', 'running', 'success', 'failure', 'cancelled']

/** States in which there is still something to do. */
export const activeRunStates: readonly RunState[] = ['queued', 'running']

/** States in which nothing happens any more, unless somebody resumes the run. */
export const endedRunStates: ReadonlySet<RunState> = new Set(['success', 'failure', 'cancelled'])

/** What is to be done. It does not change as long as the run is kept. */
export interface RunRequest {
  readonly task: unknown
  /** The short name of the tactic's config: `default`, `pro`. */
  readonly config: string
  /** Milliseconds that the run may take from its first start, restarts included. */
  readonly timeoutMs: number
  readonly budgetUsd: number | null
  /** What the key may spend that it was submitted with. Left out: as much as there is. */
  readonly keyBudget?: KeyBudget
  readonly limits: { readonly tokens?: number; readonly llmCalls?: number; readonly depth?: number }
  readonly metadata: JsonObject
  /** Where the end of the run is told. */
  readonly webhook: { readonly url: string } | null
  /** Where whoever submitted it was in a trace. */
  readonly trace?: TraceHeaders
  /** What may be kept of its texts when it has ended. Left out: all of them. `none`, of a run that has ended: they are gone. */
  readonly content?: StoreContent
  /** Its task or its metadata have a secret in them whose value is known. If it is cancelled before it begins, they are not kept. */
  readonly hasSecrets?: true
}

/** What is left of a request when nothing of its texts may be kept: it cannot be done again. */
export function withoutTask({ hasSecrets: _, ...request }: RunRequest): RunRequest {
  return { ...request, task: null, metadata: {}, content: 'none' }
}

/** The key that a run was submitted with, or was resumed with last. */
export interface RunKey {
  readonly id: string
  /** Runs of the key that may be under way at once, over all processes, 1 or more. Null: as many as there is room for. */
  readonly concurrency: number | null
}

/** How far ahead the start of a run may be put off, in ms: a year, and a day for a leap year. */
export const runAheadMaxMs = 366 * 86_400_000

/** A run as it is submitted. Times are in ms since 1970. */
export interface NewRun {
  /** UUIDv7 */
  readonly id: string
  /** Whose it is. */
  readonly tenant: string
  /** Null: nobody had to have one that can be revoked. */
  readonly key: RunKey | null
  readonly tactic: string
  /** `package::name` */
  readonly tacticId: string
  readonly tags: Readonly<Record<string, string>>
  /** Of two runs of a tenant that are due the one with more goes first: -1000..1000. */
  readonly priority: number
  readonly createdAtMs: number
  /** It is not started before. */
  readonly runAtMs: number
  readonly batchId: string | null
  /** The place of its task in the batch, from 0. */
  readonly batchIndex: number | null
  /** The name of the schedule that started it. */
  readonly schedule: string | null
  readonly request: RunRequest
}

/** A run in a list: everything but its texts. */
export interface RunSummary extends Omit<NewRun, 'request'> {
  readonly state: RunState
  /** How often it was started. Whoever works on an earlier attempt may write nothing any more. */
  readonly attempt: number
  /** The first start since it was submitted or resumed. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** Which process works on it, or did so last. */
  readonly owner: string | null
  /** Given as soon as somebody wants it to be cancelled. */
  readonly cancelReason: string | null
  /** What its session cost, once it has ended. */
  readonly cost: Cost
  readonly llmCalls: number
}

export interface Run extends RunSummary {
  /** Null: its texts are not kept any more. */
  readonly request: RunRequest | null
  /** How it ended, as long as its texts are kept. */
  readonly outcome: RunOutcome | null
}

/** A run whose texts are kept, as those are of every run that has not ended. */
export type KeptRun = Run & { readonly request: RunRequest }

export type RunOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: ErrorRecord }

/** The right to work on a run. It is lost when another process takes the run over, which counts the attempt up. */
export interface RunLease {
  readonly runId: string
  readonly attempt: number
}

/** What is told of a run: what happens in its calls, and how it ended. */
export type RunEvent =
  | EngineEvent
  | { readonly type: 'result'; readonly result: unknown; readonly cost: Cost }
  | { readonly type: 'error'; readonly error: ErrorRecord; readonly cost: Cost }
  /** It had ended, and goes on: what came before its end still holds. */
  | { readonly type: 'run.resumed' }

/** An event with its place in the history of the run: numbers grow, but not each of them is used. */
export interface StoredRunEvent {
  readonly seq: number
  readonly event: RunEvent
}

/** Many runs that were submitted together. */
export interface NewRunBatch {
  readonly id: string
  /** Whose it is. */
  readonly tenant: string
  readonly tactic: string
  readonly tacticId: string
  readonly tags: Readonly<Record<string, string>>
  readonly createdAtMs: number
}

export interface RunBatch extends NewRunBatch {
  /** How many of its runs are in each state. */
  readonly counts: Readonly<Record<RunState, number>>
  /** The exact sum over its runs. */
  readonly cost: Cost
}

/** The last event of a run, unless somebody resumes it. */
export type RunEndEvent = Extract<RunEvent, { readonly type: 'result' | 'error' }>

export function isEndEvent(event: RunEvent): event is RunEndEvent {
  return event.type === 'result' || event.type === 'error'
}

export function isEnded({ state }: Pick<RunSummary, 'state'>): boolean {
  return endedRunStates.has(state)
}
