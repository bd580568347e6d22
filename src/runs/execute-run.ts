import type { Clock } from '../domain/clock.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import type { JournalEntry } from '../domain/journal.ts'
import type { KeptRun } from '../domain/run.ts'
import type { RunHistory } from '../domain/run-store.ts'
import type { Session } from '../domain/session.ts'
import type { StoreContent } from '../domain/store-content.ts'
import type { SpanOrigin } from '../domain/tracing.ts'
import type { Engine } from '../engine/engine.ts'
import { RunJournal } from '../engine/run-journal.ts'
import { sessionWithout, withoutResult } from './run-session.ts'
import type { RunWriter } from './run-writer.ts'

export type RunEngine = Pick<Engine, 'find' | 'prepare' | 'execute' | 'content'>

export interface ExecutedRun {
  /** As it may be kept. */
  readonly session: Session
  /** What the run came to, if it succeeded, without the secrets that may not be kept. */
  readonly result: unknown
  /** What has to change in the journal with the end of the run. */
  readonly journal: readonly JournalEntry[]
}

export interface ExecutionParts {
  readonly history: RunHistory
  readonly writer: RunWriter
  readonly signal: AbortSignal
  /** What may be kept of its texts. */
  readonly content: StoreContent
}

/** Executes a run, or refuses to: either way there is a session with all that was spent on it. It rejects only with `run-fenced`. */
export async function executeRun(
  { engine, clock, attemptsMax }: { readonly engine: RunEngine; readonly clock: Clock; readonly attemptsMax: number },
  run: KeptRun,
  { history, writer, signal, content }: ExecutionParts,
): Promise<ExecutedRun> {
  const startedAtMs = run.startedAtMs ?? clock.now()
  const journal = new RunJournal({
    runId: run.id,
    startedAtMs,
    createdAtMs: run.createdAtMs,
    entries: history.journal,
    writer,
  })
  const refused = (error: LllmError): ExecutedRun => {
    const { session } = engine.content.session({ ...sessionWithout(run, journal, error, clock.now()), content })
    return { session, result: null, journal: [] }
  }
  if (run.attempt > attemptsMax) {
    const times = `${attemptsMax} time${attemptsMax === 1 ? '' : 's'}`
    return refused(new LllmError('run-abandoned', `The run was started ${times}, and its process ended each time.`))
  }
  const { request, tags, tenant } = run
  const call = await prepare(engine, run)
  if (isLllmError(call)) return refused(call)
  const { budgetUsd, keyBudget, limits, metadata } = request
  const outcome = await engine.execute(call, {
    signal,
    emit: writer.emit,
    timeoutMs: Math.max(1, startedAtMs + request.timeoutMs - clock.now()),
    ...(budgetUsd === null ? {} : { budgetUsd }),
    ...(keyBudget === undefined ? {} : { keyBudget }),
    limits,
    tags,
    metadata,
    tenant,
    run: journal,
    origin: originOf(run),
  })
  if (!outcome.ok && outcome.error.code === 'run-fenced') throw outcome.error
  const changes = journal.changesAfter(outcome.session)
  if (!outcome.ok) return { session: outcome.session, result: null, journal: changes }
  const result = engine.content.value(outcome.output, content)
  // A session that has its result is judged by whoever stores it.
  const session = content === 'none' && !isJson(result) ? withoutResult(outcome.session) : outcome.session
  return { session, result, journal: changes }
}

function isJson(result: unknown): boolean {
  try {
    JSON.stringify(result)
    return true
  } catch {
    return false
  }
}

/** A run goes on in the trace of its submitter. Those of a batch have one each: together they may be far too many for one. */
function originOf({ batchId, request: { trace } }: KeptRun): SpanOrigin {
  if (trace === undefined) return { detached: true }
  return batchId === null ? { parent: trace, detached: true } : { link: trace, detached: true }
}

/** The tactic, its config and its input may have changed since the run was submitted. */
async function prepare(engine: RunEngine, { tacticId, request }: KeptRun) {
  try {
    return await engine.prepare(engine.find(tacticId), request.task, request.config)
  } catch (error) {
    if (isLllmError(error)) return error
    return new LllmError('internal-error', 'The run could not be started.', {}, { cause: error })
  }
}
