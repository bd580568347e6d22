import type { Cost } from './cost.ts'
import type { CostLine } from './cost-report.ts'
import type { Session, SessionState } from './session.ts'
import type { SessionRecord } from './session-record.ts'

/** Which sessions are meant. All that is given has to hold. */
export interface SessionFilter {
  readonly tactic?: string
  readonly state?: SessionState
  readonly tags?: Readonly<Record<string, string>>
  /** Inclusive, in ms since 1970. */
  readonly startedAfterMs?: number
  /** Exclusive, in ms since 1970. */
  readonly startedBeforeMs?: number
}

/** A session in a list. */
export interface SessionSummary {
  readonly id: string
  readonly tactic: string
  readonly tacticId: string
  readonly state: SessionState
  readonly startedAtMs: number
  readonly durationMs: number
  readonly agentCalls: number
  readonly subTacticCalls: number
  readonly llmCalls: number
  readonly cost: Cost
  readonly tags: Readonly<Record<string, string>>
}

/** Where a list goes on: after the session with this start and id. */
export interface SessionPosition {
  readonly startedAtMs: number
  readonly id: string
}

export interface SessionPage {
  readonly data: readonly SessionSummary[]
  readonly next: SessionPosition | null
}

/** By what costs are grouped: `tactic` is the tactic that spent, also as a sub-tactic; `day` is the UTC day of the session's start. */
export type CostGroup = 'tactic' | 'tactic_id' | 'agent' | 'model' | 'day' | `tag.${string}`

/** Sums over many sessions can exceed what a number holds exactly: money is a bigint of pico-USD here. */
export interface CostTotals {
  /** Sessions (roots) that have a share in it. */
  readonly sessions: number
  readonly llmCalls: number
  readonly promptTokens: number
  readonly cachedPromptTokens: number
  readonly completionTokens: number
  readonly reasoningTokens: number
  readonly totalTokens: number
  readonly promptPicoUsd: bigint
  readonly completionPicoUsd: bigint
  readonly pricedCalls: number
  readonly unpricedCalls: number
}

export interface CostGroupTotals extends CostTotals {
  /** One value per group asked for, in the same order. Null: the session does not have the tag. */
  readonly keys: readonly (string | null)[]
}

export interface CostReport {
  /** Ordered by the keys. */
  readonly data: readonly CostGroupTotals[]
  /** Over all sessions that fit the filter; `sessions` counts those without a model call too. */
  readonly total: CostTotals
}

/** The sessions of one tenant. Those of others are not there: neither in lists and sums, nor by their ids. */
export interface TenantSessions {
  /** Undefined: there is none, or its texts are not kept any more. Then {@link TenantSessions.costOf} still has its costs. */
  get(id: string): Promise<SessionRecord | undefined>
  /** The ids that begin with a text, in their order, `limit` of them at most. */
  findIds(prefix: string, limit: number): Promise<readonly string[]>
  /** Resolves to whether there was such a session. */
  delete(id: string): Promise<boolean>
  /** Newest first, by start and then id. Pages stay in step while sessions arrive. */
  list(filter: SessionFilter, limit: number, after?: SessionPosition): Promise<SessionPage>
  /** The cost lines of one session, or undefined when there is no such session. */
  costOf(id: string): Promise<readonly CostLine[] | undefined>
  costs(filter: SessionFilter, groupBy: readonly CostGroup[]): Promise<CostReport>
}

/**
 * Keeps the sessions of calls that have ended. Sub-sessions live in their parent's record and are not listed by themselves. What is
 * read and deleted without saying whose it is, is the default tenant's.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else. A failed `save`
 * has written nothing; where its error's data says `isPermanent`, trying it again would not help. Any number of calls may be under way at once.
 */
export interface SessionStore extends TenantSessions {
  /** Names the store in `/info`, without secrets: `sqlite`, `memory`. */
  readonly kind: string
  /**
   * Once it resolves, the session survives a kill of the process (where the store survives it at all). Saving an id again replaces it.
   * `record` is the session's record as JSON, where that has been written already.
   */
  save(session: Session, record?: string): Promise<void>
  of(tenant: string): TenantSessions
  /** Rejects when sessions cannot be written now. */
  ping(): Promise<void>
  /** Finishes what was accepted and lets go of the storage. Calling it twice is fine. */
  close(): Promise<void>
}
