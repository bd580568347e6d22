import type { LllmError } from '../domain/errors.ts'
import type { KeptRun, RunEvent, RunOutcome } from '../domain/run.ts'
import type { Session } from '../domain/session.ts'
import { recordLeftovers } from '../engine/record-leftovers.ts'
import type { RunJournal } from '../engine/run-journal.ts'
import { recordSession } from '../engine/session-recorder.ts'

/** How a run ended, as its readers are told. */
export function endEvent({ cost }: Session, outcome: RunOutcome): RunEvent {
  if (outcome.ok) return { type: 'result', result: outcome.result, cost }
  return { type: 'error', error: outcome.error, cost }
}

/** What a run came to. Its result is what its callers read, so it is kept for as long as the run, whatever is kept of its session. */
export function outcomeOf({ error }: Session, result: unknown): RunOutcome {
  return error === null ? { ok: true, result: result ?? null } : { ok: false, error }
}

/** The session of a cancelled run says why, in the words of whoever cancelled it. */
export function withCancelReason(session: Session, reason: string | null): Session {
  if (reason === null || session.state !== 'cancelled' || session.error === null) return session
  return { ...session, error: { ...session.error, message: `The run was cancelled: ${reason}` } }
}

/** A session whose result is no JSON, and so cannot be kept. */
export function withoutResult(session: Session): Session {
  const message = 'The tactic returned a result that cannot be kept: it is no JSON, or too large for one text.'
  return { ...session, state: 'failure', result: null, error: { code: 'invalid-result', message } }
}

/** The session of a run that is not executed any more: what earlier attempts have paid for, and why it has ended. */
export function sessionWithout(run: KeptRun, journal: RunJournal, error: LllmError, nowMs: number): Session {
  const { id, tenant, tactic, tacticId, tags, request } = run
  const recorder = recordSession({
    id,
    tenant,
    tactic,
    tacticId,
    startedAtMs: journal.startedAtMs,
    task: request.task,
    tags,
    metadata: request.metadata,
    config: { name: request.config, hash: '' },
    simulated: false,
    ...(request.content === undefined ? {} : { content: request.content }),
  })
  recordLeftovers(journal, { id: tacticId }, recorder, nowMs, () => journal.stableId('', 'leftover'))
  const { code, message } = error
  return recorder.close({
    state: 'failure',
    endReason: null,
    endedAtMs: nowMs,
    result: null,
    error: { code, message },
  })
}
