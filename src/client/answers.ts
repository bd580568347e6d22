import type { ProblemRecord } from '../domain/problem-record.ts'
import type { SessionState } from '../domain/session.ts'
import type { CostRecord, SessionRecord, SessionSummaryRecord } from '../domain/session-record.ts'
import type { CostGroup } from '../domain/session-store.ts'

// Answers are given as the service sends them: what a page of the documentation, a log or a stored file shows is what code sees.

/** The answer to a call. */
export interface CallAnswer<Output> {
  readonly result: Output
  readonly session_id: string
  /** In USD; null where nothing could be priced. */
  readonly cost_usd: number | null
}

/** A call with its whole session. */
export interface SessionAnswer<Output> extends CallAnswer<Output> {
  readonly session: SessionRecord
}

interface ItemPlace {
  /** Of its task. */
  readonly index: number
  readonly cost_usd: number | null
  /** Where sessions were asked for. */
  readonly session?: SessionRecord | SessionSummaryRecord
}

/** How a task of a batch ended. */
export type BatchItem<Output> =
  | (ItemPlace & { readonly status: 'success'; readonly result: Output; readonly session_id: string })
  | (ItemPlace & {
      readonly status: 'failure' | 'cancelled' | 'skipped'
      readonly error: ProblemRecord
      /** Null: it was never started. */
      readonly session_id: string | null
    })

/** A batch as a whole. */
export interface BatchSums {
  readonly counts: Readonly<Record<BatchItem<unknown>['status'], number>>
  readonly cost_usd: number | null
}

export interface BatchAnswer<Output> extends BatchSums {
  /** In the order of the tasks. */
  readonly items: readonly BatchItem<Output>[]
}

export interface TacticRecord {
  readonly name: string
  /** `package::name` */
  readonly id: string
  /** The shortest name that finds it. */
  readonly address: string
  /** The id of the tactic that the bare name finds instead, and why it does. */
  readonly shadowed_by: string | null
  readonly note: string | null
  readonly package: string
  readonly version: string
  readonly description: string | null
  /** None, for a key that may not call it. */
  readonly agents: readonly { readonly name: string; readonly model: string; readonly prompt: string | null }[]
  readonly sub_tactics: readonly string[]
  /** The first is the default. */
  readonly configs: readonly string[]
  readonly input_schema: Readonly<Record<string, unknown>>
  readonly output_schema: Readonly<Record<string, unknown>>
}

/** A session in a list. */
export interface SessionItem {
  readonly id: string
  readonly tactic: string
  readonly tactic_id: string
  readonly state: SessionState
  readonly started_at: string
  readonly duration_ms: number
  readonly agent_calls: number
  readonly sub_tactic_calls: number
  readonly llm_calls: number
  readonly tokens: number
  readonly cost_usd: number | null
  readonly tags: Readonly<Record<string, string>>
}

export interface Page<Item> {
  readonly data: readonly Item[]
  /** Null on the last page. */
  readonly next_cursor: string | null
}

interface CallCosts extends CostRecord {
  /** Requests that reached a provider. */
  readonly llm_calls: number
}

export interface SessionCost {
  readonly session_id: string
  readonly total: CallCosts
  readonly lines: readonly (CallCosts & {
    readonly tactic: string
    readonly tactic_id: string
    readonly agent: string
    readonly model: string
  })[]
}

export interface CostTotals extends CallCosts {
  readonly sessions: number
}

/** Has a member for each group that was asked for; null where a session does not have the tag. */
export type CostRow = CostTotals & {
  readonly [Group in CostGroup]?: string | null
}

export interface CostsAnswer {
  readonly data: readonly CostRow[]
  readonly total: CostTotals
}

export interface ServiceInfo {
  readonly name: string
  readonly version: string
  readonly simulated: boolean
  /** Says so when the model is simulated. */
  readonly notice: string | null
  readonly packages: readonly {
    readonly name: string
    readonly version: string
    readonly origin: 'root' | 'dependency' | 'project' | 'user'
    /** What else the served package calls it. */
    readonly aliases: readonly string[]
  }[]
  readonly store: string
  readonly invokers: readonly { readonly name: string; readonly simulated: boolean }[]
}
