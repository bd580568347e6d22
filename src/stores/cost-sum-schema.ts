import type { SessionState } from '../domain/session.ts'
import type { WholeNumber } from './sql-schema.ts'

/** What is summed of each group, beside its sessions. */
export const sumColumns = [
  'llm_calls',
  'prompt_tokens',
  'cached_prompt_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'total_tokens',
  'priced_calls',
  'unpriced_calls',
  'prompt_micro_usd',
  'prompt_pico_usd_rest',
  'completion_micro_usd',
  'completion_pico_usd_rest',
] as const

type SumColumns = { readonly [Column in (typeof sumColumns)[number]]: WholeNumber }

/** What an hour or a day of a tenant is known by. `tag_key` is the one tag that is told apart; where it is empty, none is. */
interface CostSpanKey {
  readonly tenant: string
  readonly span_ms: WholeNumber
  readonly starts_at: WholeNumber
  readonly tag_key: string
}

/**
 * In how much detail an hour or a day has been summed; more is more.
 *
 * - `none`: the tag has so many values that the sessions had better be read.
 * - `values`: a row for each value of the tag, of all tactics, states, agents and models together, where full sums have theirs that are
 *   `alike` or `ungrouped`. Root tactics and states are empty.
 * - `full`: as `CostSumTable` says.
 */
export const spanDetails = { none: 0, values: 1, full: 2 } as const
export type SpanDetail = (typeof spanDetails)[keyof typeof spanDetails]

/** An hour or a day that has been looked at, whatever came of it. */
interface CostSpanTable extends CostSpanKey {
  /** One of `spanDetails`. */
  readonly detail: WholeNumber
}

/**
 * What the sessions of a span have cost, of each root tactic, each state and each value of the tag by itself. `grouping` says how they are grouped further:
 *
 * - In a day, a sum of `groupings`: a row for each value of these columns, the others of which are null. All sums of one grouping
 *   are there at once, since a session that has a share in several rows of one counts once in a row of another.
 * - In an hour, `alike`: sessions that have shares of the same tactics, agents and models have one `number`, and a row for each of these
 *   shares. What was saved in such detail can be added up to days.
 * - `countOnly`, in both: the sessions alone, those too that asked no model.
 */
interface CostSumTable extends CostSpanKey, SumColumns {
  readonly grouping: WholeNumber
  readonly number: WholeNumber
  /** From 1 within its number. */
  readonly position: WholeNumber
  readonly root_tactic: string
  readonly root_tactic_id: string
  readonly state: SessionState | ''
  /** Null where sessions do not have the tag, and where none is told apart. */
  readonly tag_value: string | null
  /** That have a share in the number: the same in each of its rows. */
  readonly sessions: WholeNumber
  readonly tactic: string | null
  readonly tactic_id: string | null
  readonly agent: string | null
  readonly model: string | null
}

/** By which columns the rows of a day may be grouped. */
export const groupings = { tactic: 1, tactic_id: 2, agent: 4, model: 8 } as const
/** None of them: what groups of nothing, or of days alone, are read from. */
export const ungrouped = 0
/** All sums of them. */
export const groupingsAll = Array.from({ length: 16 }, (_, grouping) => grouping)
export const countOnly = 16
export const alike = 17

export type CostSumDatabase = {
  readonly cost_spans: CostSpanTable
  readonly cost_sums: CostSumTable
}
