import type { Cost } from './cost.ts'
import type { ErrorCode } from './errors.ts'
import type { LimitExcess } from './limits.ts'
import type { RetryRecord, SessionState } from './session.ts'

/** How a call ended. `released`: an attempt of a run that somebody goes on with, so that the run has not ended. */
export type CallEnd = SessionState | 'released'

/** Whose request to a model it was. */
export interface ModelPlace {
  /** The tactic whose agent asked, be it a sub-tactic. */
  readonly tactic: string
  readonly agent: string
  /** As the config names it. */
  readonly model: string
}

/**
 * Something that has happened, as it is counted: names and figures, and nothing that tells one call from another. What an earlier
 * attempt of a run has done is not told again.
 */
export type Observation =
  /** A request was answered, or its client went away. `route` is the pattern of its path. */
  | {
      readonly type: 'request.ended'
      readonly route: string
      readonly method: string
      readonly status: number
      readonly durationMs: number
    }
  /** So many more calls wait for a place in the service, or fewer. */
  | { readonly type: 'calls.queued'; readonly change: number }
  | { readonly type: 'call.started'; readonly tactic: string }
  | {
      readonly type: 'call.ended'
      readonly tactic: string
      readonly state: CallEnd
      /** Null: of a success. */
      readonly code: ErrorCode | null
      readonly durationMs: number
    }
  | { readonly type: 'sub-call.ended'; readonly tactic: string; readonly state: SessionState }
  | (ModelPlace & {
      readonly type: 'model.asked'
      /** `ok`, or the code of the error with which the request is recorded. */
      readonly outcome: string
      /** Without the time for which the request was kept back on this side. */
      readonly durationMs: number
      readonly cost: Cost
    })
  /** A model was asked again, or the next one in its place; `model` is the one that made it necessary. */
  | (ModelPlace & { readonly type: 'model.retried'; readonly reason: RetryRecord['kind'] })
  /** A tool was run. `isOk` is false where it threw, or refused its arguments. */
  | { readonly type: 'tool.ended'; readonly tactic: string; readonly agent: string; readonly isOk: boolean }
  /** A request to a model, or a call of a sub-tactic, was refused because it might have passed a limit. */
  | { readonly type: 'budget.refused'; readonly tactic: string; readonly unit: LimitExcess['unit'] }
  | { readonly type: 'run.started' }
  | { readonly type: 'run.ended'; readonly how: 'ended' | 'released' | 'fenced' }
  /** The store did not take a session, which waits for it to come back. */
  | { readonly type: 'session.unsaved' }
  /** A session was given up. */
  | { readonly type: 'session.lost' }
  | { readonly type: 'webhook.attempted'; readonly step: 'delivered' | 'retry' | 'failed' | 'lost' }
  /** `operation` is a name of the code's own: `runs.claim`. */
  | {
      readonly type: 'store.asked'
      readonly operation: string
      readonly outcome: 'ok' | 'error'
      readonly durationMs: number
    }

/** What is told of one kind of thing. */
export type Observed<Type extends Observation['type']> = Extract<Observation, { readonly type: Type }>

/** Is told of everything that is counted. It takes no time to speak of, and never throws. */
export type Observe = (observation: Observation) => void
