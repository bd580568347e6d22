import { type Caller, mayRead } from '../domain/caller.ts'
import { toRfc3339 } from '../domain/clock.ts'
import { costUsd } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { Run, RunBatch, RunRequest, RunSummary } from '../domain/run.ts'
import type { ErrorRecord } from '../domain/session.ts'
import { toContentRecord, toCostRecord, toErrorRecord } from '../domain/session-record.ts'
import { type ProblemOrigin, toProblem } from './problem.ts'

/** A run as the service tells it: in the words of the session that it ends with. */
export function toRunRecord(run: Run) {
  const { request, outcome } = run
  return {
    ...toRunListItem(run),
    expired: request === null,
    metadata: request?.metadata ?? {},
    config: request?.config ?? null,
    timeout_ms: request?.timeoutMs ?? null,
    budget_usd: request?.budgetUsd ?? null,
    limits: toLimitsRecord(request?.limits ?? {}),
    webhook: request?.webhook ?? null,
    task: request?.task ?? null,
    result: outcome?.ok === true ? (outcome.result ?? null) : null,
    error: outcome?.ok === false ? toErrorRecord(outcome.error) : null,
    cost: toCostRecord(run.cost),
    ...toContentRecord(request ?? {}),
  }
}

/** A run in a list: what it is about can be long, and is left out. */
export function toRunListItem(run: RunSummary) {
  const { startedAtMs, endedAtMs } = run
  return {
    id: run.id,
    tactic: run.tactic,
    tactic_id: run.tacticId,
    state: run.state,
    attempt: run.attempt,
    priority: run.priority,
    created_at: toRfc3339(run.createdAtMs),
    run_at: toRfc3339(run.runAtMs),
    started_at: toTime(startedAtMs),
    ended_at: toTime(endedAtMs),
    duration_ms: startedAtMs === null || endedAtMs === null ? null : endedAtMs - startedAtMs,
    cancel_reason: run.cancelReason,
    batch_id: run.batchId,
    batch_index: run.batchIndex,
    schedule: run.schedule,
    session_id: run.id,
    tags: run.tags,
    llm_calls: run.llmCalls,
    cost_usd: costUsd(run.cost),
  }
}

/** A run that was changed: whoever may not look at it is told nothing that anybody wrote into it. */
export function toChangedRun(run: Run, caller: Caller) {
  if (mayRead(caller)) return toRunRecord(run)
  const { tags: _, ...facts } = toRunListItem(run)
  return facts
}

export function toChangedBatch(batch: RunBatch, caller: Caller) {
  const { tags, ...facts } = toRunBatchRecord(batch)
  return mayRead(caller) ? { tags, ...facts } : facts
}

export function toRunBatchRecord(batch: RunBatch) {
  return {
    id: batch.id,
    tactic: batch.tactic,
    tactic_id: batch.tacticId,
    tags: batch.tags,
    created_at: toRfc3339(batch.createdAtMs),
    counts: batch.counts,
    cost: toCostRecord(batch.cost),
    cost_usd: costUsd(batch.cost),
  }
}

/** A line of the results of a batch. */
export function toRunResult(run: Run, origin: ProblemOrigin) {
  const { outcome } = run
  return {
    index: run.batchIndex,
    run_id: run.id,
    status: run.request === null ? ('expired' as const) : run.state,
    ...(outcome?.ok === true ? { result: outcome.result ?? null } : {}),
    ...(outcome?.ok === false ? { error: toProblem(toError(outcome.error), origin) } : {}),
    cost_usd: costUsd(run.cost),
  }
}

/** Of a run whose texts are gone there is nothing to wait for and nothing to follow. @throws LllmError `session-expired` */
export function refuseExpired({ id, request }: Run) {
  if (request !== null) return
  throw new LllmError(
    'session-expired',
    `What run ${id} came to is not kept any more. Its state, times and cost are at /runs/${id}.`,
  )
}

/** The error of a run, as it was when it was thrown. */
export function toError({ code, message, data = {} }: ErrorRecord): LllmError {
  return new LllmError(code, message, data)
}

function toLimitsRecord({ tokens, llmCalls, depth }: RunRequest['limits']) {
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(llmCalls === undefined ? {} : { llm_calls: llmCalls }),
    ...(depth === undefined ? {} : { depth }),
  }
}

function toTime(timeMs: number | null): string | null {
  return timeMs === null ? null : toRfc3339(timeMs)
}
