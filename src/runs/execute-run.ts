import type { Clock } from '../domain/clock.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import type { JournalEntry } from '../domain/journal.ts'
import type { KeptRun } from '../domain/run.ts'
import type { RunHistory } from '../domain/run-store.ts'
import type { Session } from '../domain/session.ts'
import type { SpanOrigin } from '../domain/tracing.ts'
import type { Engine } from '../engine/engine.ts'
import { RunJournal } from '../engine/run-journal.ts'
import { sessionWithout } from './run-session.ts'
import type { RunWriter } from './run-writer.ts'

export type RunEngine = Pick<Engine, 'find' | 'prepare' | 'execute'>

export interface ExecutedRun {
  readonly session: Session
  /** What has to change in the journal with the end of the run. */
  readonly journal: readonly JournalEntry[]
}

export interface ExecutionParts {
  readonly history: RunHistory
  readonly writer: RunWriter
  readonly signal: AbortSignal
}

/** Executes a run, or refuses to: either way there is a session with all that was spent on it. It rejects only with `run-fenced`. */
export async function executeRun(
  { engine, clock, attemptsMax }: { readonly engine: RunEngine; readonly clock: Clock; readonly attemptsMax: number },
  run: KeptRun,
  { history, writer, signal }: ExecutionParts,
): Promise<ExecutedRun> {
  const startedAtMs = run.startedAtMs ?? clock.now()
  const journal = new RunJournal({
    runId: run.id,
    startedAtMs,
    createdAtMs: run.createdAtMs,
    entries: history.journal,
    writer,
  })
  const refused = (error: LllmError) => ({ session: sessionWithout(run, journal, error, clock.now()), journal: [] })
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
  return { session: outcome.session, journal: journal.changesAfter(outcome.session) }
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
