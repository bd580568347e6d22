import { costOf, noCost } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { RemoteOutcome, RemoteTarget } from '../domain/remote.ts'
import type { Session } from '../domain/session.ts'
import { endReasonOf, openStopScope, stopError } from '../domain/stop.ts'
import { noTracing } from '../domain/tracing.ts'
import { openTell } from './announce.ts'
import { callRemote, toRemoteError } from './call-remote.ts'
import { endWorkflow, startRemote } from './call-spans.ts'
import type { Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'
import { readResult } from './read-result.ts'
import { openRemoteKeeper } from './remote-journal.ts'
import { type KnownOfCall, standInSession } from './stand-in-session.ts'

/**
 * Calls a tactic of another service in the place of one of ours. Its session is the one that it has there; where that cannot be
 * had, another stands in for it, with what is known of its cost.
 *
 * The service is told to spend no more than what was set aside here, so that no budget is passed however many such calls there are.
 * It never rejects, as `execute`.
 */
export async function executeRemote(
  parts: EngineParts,
  call: PreparedCall,
  target: RemoteTarget,
  options: ExecuteOptions,
): Promise<Outcome> {
  const { clock, newId } = parts.world
  const startedAtMs = clock.now()
  const { signal: outerSignal, timeoutMs, deadlineAtMs = Infinity, journal } = options
  const stopScope = openStopScope(outerSignal === undefined ? [] : [outerSignal], timeoutMs)
  const { signal } = stopScope
  const deadline = Math.min(deadlineAtMs, startedAtMs + (timeoutMs ?? Infinity))
  const span = startRemote(parts.tracing ?? noTracing, call, options, target)
  const keeper = journal && openRemoteKeeper(journal, target, call.task)
  const standIn = (ended: Pick<KnownOfCall, 'error' | 'endReason' | 'cost'>, id = newId()) =>
    standInSession({ id, tactic: target.tactic, task: call.task, startedAtMs, endedAtMs: clock.now(), newId, ...ended })
  const { remote, taken } = await callRemote(parts, call, target, {
    ...options,
    signal,
    deadlineAtMs: deadline,
    span,
    ...(keeper === undefined ? {} : { keeper }),
    lost: () =>
      standIn({ error: new LllmError('remote-failed', lostMessage), endReason: null, cost: costOf(null, null) }),
  })
  stopScope.dispose()

  let outcome = await judge(call, remote, signal)
  const session =
    remote.session ??
    standIn(
      {
        error: outcome.ok ? new LllmError('internal-error', 'A remote call ended without a session.') : outcome.error,
        endReason: signal.aborted ? endReasonOf(signal) : null,
        cost: remote.ok ? noCost : remote.cost,
      },
      (remote.ok ? null : remote.sessionId) ?? undefined,
    )
  if (keeper !== undefined && taken !== undefined) {
    await keeper.end(outcome.ok ? remote : outcome, session, taken, signal.aborted).catch((error: unknown) => {
      outcome = { ok: false, error: toRemoteError(error) }
    })
  }
  const ended: Outcome = { ...outcome, session }
  endWorkflow(span, ended)
  await tellCall(options, target, session, signal)
  return ended
}

const lostMessage = 'The process ended while this call was under way: what it came to is not known.'

type Judged = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: LllmError }

async function judge({ tactic }: PreparedCall, remote: RemoteOutcome, signal: AbortSignal): Promise<Judged> {
  if (signal.aborted) return { ok: false, error: stopError(signal) }
  if (!remote.ok) return remote
  try {
    return { ok: true, output: await readResult(tactic, remote.result) }
  } catch (error) {
    return { ok: false, error: toRemoteError(error) }
  }
}

/** The id of a remote session is known at its end, so that is when it is told of. */
async function tellCall(
  { emit, parent, signal: outer }: ExecuteOptions,
  { tactic }: RemoteTarget,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  if (emit === undefined || parent === undefined) return
  const tell = openTell(emit, outer ?? signal)
  const place = { sessionId: session.id, path: [...parent.path, tactic], tactic, parentId: parent.sessionId }
  await tell({ type: 'tactic.started', ...place })
  await tell({ type: 'tactic.completed', ...place, state: session.state, cost: session.cost })
}
