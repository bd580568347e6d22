import type { Selectable } from 'kysely'
import { noCost } from '../domain/cost.ts'
import type {
  KeptRun,
  NewRun,
  NewRunBatch,
  Run,
  RunKey,
  RunOutcome,
  RunRequest,
  RunSummary,
  StoredRunEvent,
} from '../domain/run.ts'
import { fromColumnText, toColumnText } from './column-text.ts'
import type { RunTable } from './run-schema.ts'
import { toCostColumns } from './session-rows.ts'
import { toCost } from './sql-queries.ts'

type SummaryRow = Omit<Selectable<RunTable>, 'lease_until' | 'webhook'>

export function toRunRow(run: NewRun) {
  return {
    id: run.id,
    tenant: run.tenant,
    ...toKeyColumns(run.key),
    tactic: run.tactic,
    tactic_id: run.tacticId,
    state: 'queued' as const,
    priority: run.priority,
    created_at: run.createdAtMs,
    run_at: run.runAtMs,
    started_at: null,
    ended_at: null,
    attempt: 0,
    owner: null,
    lease_until: null,
    cancel_reason: null,
    batch_id: run.batchId,
    batch_index: run.batchIndex,
    schedule: run.schedule,
    webhook: run.request.webhook?.url ?? null,
    tags: JSON.stringify(run.tags),
    llm_calls: 0,
    ...toCostColumns(noCost),
  }
}

/** In the place of the id of a key that there is not. */
export const noKey = ''

export function toKeyColumns(key: RunKey | null) {
  return { key_id: key?.id ?? noKey, key_concurrency: key?.concurrency ?? null }
}

export function toRunTagRows({ id, tenant, tags, createdAtMs }: NewRun) {
  return Object.entries(tags).map(([key, value]) => ({
    run_id: id,
    key: toColumnText(key),
    value: toColumnText(value),
    created_at: createdAtMs,
    tenant,
  }))
}

export function toRunSummary(row: SummaryRow): RunSummary {
  return {
    id: row.id,
    tenant: row.tenant,
    key: row.key_id === noKey ? null : { id: row.key_id, concurrency: toNumberOrNull(row.key_concurrency) },
    tactic: row.tactic,
    tacticId: row.tactic_id,
    state: row.state,
    tags: JSON.parse(row.tags) as Readonly<Record<string, string>>,
    priority: Number(row.priority),
    createdAtMs: Number(row.created_at),
    runAtMs: Number(row.run_at),
    startedAtMs: toNumberOrNull(row.started_at),
    endedAtMs: toNumberOrNull(row.ended_at),
    attempt: Number(row.attempt),
    owner: row.owner,
    cancelReason: row.cancel_reason === null ? null : fromColumnText(row.cancel_reason),
    batchId: row.batch_id,
    batchIndex: toNumberOrNull(row.batch_index),
    schedule: row.schedule,
    cost: toCost(row),
    llmCalls: Number(row.llm_calls),
  }
}

type TextRow = { readonly request: string; readonly outcome: string | null }

export function toKeptRun(row: SummaryRow & TextRow): KeptRun {
  return {
    ...toRunSummary(row),
    request: JSON.parse(row.request) as RunRequest,
    outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as RunOutcome),
  }
}

/** A run that has ended may have no texts any more. */
export function toRun({ request, ...row }: SummaryRow & { readonly [Name in keyof TextRow]: string | null }): Run {
  return request === null ? { ...toRunSummary(row), request, outcome: null } : toKeptRun({ ...row, request })
}

export function toBatchRow({ id, tenant, tactic, tacticId, tags, createdAtMs }: NewRunBatch) {
  return { id, tenant, tactic, tactic_id: tacticId, tags: JSON.stringify(tags), created_at: createdAtMs }
}

export function toEventRow(runId: string, { seq, event }: StoredRunEvent) {
  return { run_id: runId, seq, type: event.type, event: JSON.stringify(event) }
}

export function toStoredEvent({ seq, event }: { readonly seq: bigint | number | string; readonly event: string }) {
  return { seq: Number(seq), event: JSON.parse(event) as StoredRunEvent['event'] }
}

function toNumberOrNull(value: bigint | number | string | null): number | null {
  return value === null ? null : Number(value)
}
