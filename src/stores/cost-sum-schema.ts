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

/** An hour or a day of a tenant whose sessions have been summed. */
interface CostSpanTable {
  readonly tenant: string
  readonly span_ms: WholeNumber
  readonly starts_at: WholeNumber
}

/**
 * What the sessions of a span have cost, of each root tactic and each state by itself. `grouping` says how they are grouped further:
 *
 * - In a day, a sum of `groupings`: a row for each value of these columns, the others of which are null. All sums of one grouping
 *   are there at once, since a session that has a share in several rows of one counts once in a row of another.
 * - In an hour, `alike`: sessions that have shares of the same tactics, agents and models have one `number`, and a row for each of these
 *   shares. What was saved in such detail can be added up to days.
 * - `countOnly`, in both: the sessions alone, those too that asked no model.
 */
interface CostSumTable extends CostSpanTable, SumColumns {
  readonly grouping: WholeNumber
  readonly number: WholeNumber
  /** From 1 within its number. */
  readonly position: WholeNumber
  readonly root_tactic: string
  readonly root_tactic_id: string
  readonly state: SessionState
  /** That have a share in the number: the same in each of its rows. */
  readonly sessions: WholeNumber
  readonly tactic: string | null
  readonly tactic_id: string | null
  readonly agent: string | null
  readonly model: string | null
}

/** By which columns the rows of a day may be grouped. */
export const groupings = { tactic: 1, tactic_id: 2, agent: 4, model: 8 } as const
/** All sums of them. */
export const groupingsAll = Array.from({ length: 16 }, (_, grouping) => grouping)
export const countOnly = 16
export const alike = 17

export type CostSumDatabase = {
  readonly cost_spans: CostSpanTable
  readonly cost_sums: CostSumTable
}
