import type { ColumnType, Insertable } from 'kysely'
import type { SessionState } from '../domain/session.ts'

/** Whole numbers come back in the driver's way: node:sqlite gives a bigint, PostgreSQL a text. */
export type WholeNumber = ColumnType<bigint | number | string, number, number>

export interface CostColumns {
  readonly prompt_tokens: WholeNumber
  readonly cached_prompt_tokens: WholeNumber
  readonly completion_tokens: WholeNumber
  readonly reasoning_tokens: WholeNumber
  readonly total_tokens: WholeNumber
  readonly prompt_pico_usd: WholeNumber
  readonly completion_pico_usd: WholeNumber
  readonly priced_calls: WholeNumber
  readonly unpriced_calls: WholeNumber
}

/** Roots only, and narrow: lists and costs never read the record. Times are in ms since 1970. */
export interface SessionTable extends CostColumns {
  readonly id: string
  readonly tenant: string
  readonly tactic: string
  readonly tactic_id: string
  readonly state: SessionState
  readonly started_at: WholeNumber
  readonly duration_ms: WholeNumber
  readonly agent_calls: WholeNumber
  readonly sub_tactic_calls: WholeNumber
  readonly llm_calls: WholeNumber
  /** All tags as a JSON object, for lists. */
  readonly tags: string
}

/** What one agent of one tactic of the tree spent on one model. `position` keeps the order of first use. */
interface CostLineTable extends CostColumns {
  readonly session_id: string
  readonly position: WholeNumber
  readonly tactic: string
  readonly tactic_id: string
  readonly agent: string
  readonly model: string
  readonly llm_calls: WholeNumber
}

/** One row a tag, for filters and groups. `tenant` and `started_at` are repeated so that an index gives a tag's sessions newest first. */
interface SessionTagTable {
  readonly session_id: string
  readonly key: string
  readonly value: string
  readonly started_at: WholeNumber
  readonly tenant: string
}

export interface SessionDatabase {
  readonly sessions: SessionTable
  readonly session_payloads: { readonly session_id: string; readonly record: string }
  readonly cost_lines: CostLineTable
  readonly session_tags: SessionTagTable
}

export type SessionRow = Insertable<SessionTable>
export type CostLineRow = Insertable<CostLineTable>

export const costColumns = [
  'prompt_tokens',
  'cached_prompt_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'total_tokens',
  'prompt_pico_usd',
  'completion_pico_usd',
  'priced_calls',
  'unpriced_calls',
] as const satisfies readonly (keyof CostColumns)[]

export const sessionColumns = [
  'id',
  'tenant',
  'tactic',
  'tactic_id',
  'state',
  'started_at',
  'duration_ms',
  'agent_calls',
  'sub_tactic_calls',
  'llm_calls',
  ...costColumns,
  'tags',
] as const satisfies readonly (keyof SessionTable)[]

export const costLineColumns = [
  'session_id',
  'position',
  'tactic',
  'tactic_id',
  'agent',
  'model',
  'llm_calls',
  ...costColumns,
] as const satisfies readonly (keyof CostLineTable)[]

/** The columns of each table in the order in which rows are written. */
export const tableColumns = {
  sessions: sessionColumns,
  session_payloads: ['session_id', 'record'],
  cost_lines: costLineColumns,
  session_tags: ['session_id', 'key', 'value', 'started_at', 'tenant'],
} as const satisfies { readonly [Table in keyof SessionDatabase]: readonly (keyof SessionDatabase[Table])[] }
