import type { JournalKind, JournalState } from '../domain/journal.ts'
import type { RunState } from '../domain/run.ts'
import type { DeliveryState, WebhookType } from '../domain/webhook.ts'
import { type CostColumns, costColumns, type WholeNumber } from './sql-schema.ts'

/** Times are in ms since 1970. */
export interface RunTable extends CostColumns {
  readonly id: string
  readonly tenant: string
  /** Empty: it is the run of no key. */
  readonly key_id: string
  /** As it was when the run was submitted: a key keeps its limits. */
  readonly key_concurrency: WholeNumber | null
  readonly tactic: string
  readonly tactic_id: string
  readonly state: RunState
  readonly priority: WholeNumber
  readonly created_at: WholeNumber
  readonly run_at: WholeNumber
  readonly started_at: WholeNumber | null
  readonly ended_at: WholeNumber | null
  readonly attempt: WholeNumber
  readonly owner: string | null
  readonly lease_until: WholeNumber | null
  readonly cancel_reason: string | null
  readonly batch_id: string | null
  readonly batch_index: WholeNumber | null
  readonly schedule: string | null
  /** Where its end is told. */
  readonly webhook: string | null
  /** All tags as a JSON object. */
  readonly tags: string
  readonly llm_calls: WholeNumber
}

interface RunBatchTable {
  readonly id: string
  readonly tenant: string
  readonly tactic: string
  readonly tactic_id: string
  readonly tags: string
  readonly created_at: WholeNumber
}

export interface WebhookDeliveryTable {
  readonly id: string
  readonly run_id: string
  readonly type: WebhookType
  readonly url: string
  readonly host: string
  readonly body: string
  readonly state: DeliveryState
  readonly created_at: WholeNumber
  /** When it is due. Whoever takes it moves this on by a lease. */
  readonly next_at: WholeNumber
  readonly tries: WholeNumber
  readonly claims: WholeNumber
  readonly attempt_count: WholeNumber
  /** A list of `DeliveryAttempt` as JSON. */
  readonly attempts: string
}

export interface RunDatabase {
  readonly runs: RunTable
  /** A `RunRequest` and a `RunOutcome` as JSON. */
  readonly run_payloads: { readonly run_id: string; readonly request: string; readonly outcome: string | null }
  readonly run_tags: {
    readonly run_id: string
    readonly key: string
    readonly value: string
    readonly created_at: WholeNumber
    readonly tenant: string
  }
  /** A `RunEvent` as JSON. */
  readonly run_events: {
    readonly run_id: string
    readonly seq: WholeNumber
    readonly type: string
    readonly event: string
  }
  readonly run_journal: {
    readonly run_id: string
    readonly key: string
    readonly kind: JournalKind
    readonly state: JournalState
    readonly record: string
  }
  readonly run_batches: RunBatchTable
  readonly webhook_deliveries: WebhookDeliveryTable
  /** The latest tick of each schedule. */
  readonly schedule_ticks: { readonly schedule: string; readonly at: WholeNumber; readonly run_id: string | null }
}

export const runColumns = [
  'id',
  'tenant',
  'key_id',
  'key_concurrency',
  'tactic',
  'tactic_id',
  'state',
  'priority',
  'created_at',
  'run_at',
  'started_at',
  'ended_at',
  'attempt',
  'owner',
  'cancel_reason',
  'batch_id',
  'batch_index',
  'schedule',
  'tags',
  'llm_calls',
  ...costColumns,
] as const satisfies readonly (keyof RunTable)[]
