import type { Cost } from './cost.ts'
import type { LllmError } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Session } from './session.ts'
import type { TraceHeaders } from './tracing.ts'

/** Where a remote tactic is, and how it is called. */
export interface RemoteTarget {
  /** Of the service, without a `/` at its end. */
  readonly url: string
  /** Its name there, or `package::name`. */
  readonly tactic: string
  /** The name of one of its configs there. Left out: its default. */
  readonly config?: string
  /** Names the key that is sent as `authorization: Bearer …`; the operator's settings hold it. */
  readonly apiKeyName?: string
  /** The most that one call may cost, in whole pico-USD. Left out: what is left of the budgets that it counts against. */
  readonly budgetPicoUsd?: bigint
  /** Further headers. A function, so that what shows a target does not show what is secret. */
  headers(): Readonly<Record<string, string>>
}

export interface RemoteRequest {
  readonly target: RemoteTarget
  /** As it was given: the service judges it by itself. */
  readonly task: unknown
  /** What the call may take there, everything below it included. What is left out is not limited. */
  readonly limits: Limits
  /** Its abort closes the socket, by which the service cancels the call. */
  readonly signal: AbortSignal
  /** Where the call is in a trace. */
  readonly trace: TraceHeaders | undefined
}

/** How a remote call ended. */
export type RemoteOutcome =
  | { readonly ok: true; readonly result: unknown; readonly session: Session }
  | {
      readonly ok: false
      readonly error: LllmError
      /** Null: there is none, or it could not be had. */
      readonly session: Session | null
      /** Of the session, where its id is known. */
      readonly sessionId: string | null
      /** What the call cost, as far as that is known; what may have been spent beyond that is an unpriced call. */
      readonly cost: Cost
    }

/**
 * Calls tactics of other services.
 *
 * It never rejects: a failure, and an abort of the signal, are outcomes. What a service answers is not trusted: it is bounded in
 * size and time, its shape is judged and its sums are made again; what does not hold is a failure whose cost is unpriced.
 */
export interface RemoteTactics {
  call(request: RemoteRequest): Promise<RemoteOutcome>
  close(): Promise<void>
}
