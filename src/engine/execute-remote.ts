import { setImmediate as nextTurn } from 'node:timers/promises'
import { costOf, noCost } from '../domain/cost.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import type { Amounts, Limits } from '../domain/limits.ts'
import type { RemoteOutcome, RemoteTarget } from '../domain/remote.ts'
import { countLlmCalls, type Session } from '../domain/session.ts'
import { endReasonOf, openStopScope, stopError } from '../domain/stop.ts'
import { noTracing, type Span } from '../domain/tracing.ts'
import { openTell } from './announce.ts'
import { endWorkflow, startRemote } from './call-spans.ts'
import type { Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'
import { openRemoteMeter } from './open-meter.ts'
import { readResult } from './read-result.ts'
import { standInSession } from './stand-in-session.ts'

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
  const { signal: outerSignal, timeoutMs, deadlineAtMs = Infinity } = options
  const stopScope = openStopScope(outerSignal === undefined ? [] : [outerSignal], timeoutMs)
  const { signal } = stopScope
  const deadline = Math.min(deadlineAtMs, startedAtMs + (timeoutMs ?? Infinity))
  const span = startRemote(parts.tracing ?? noTracing, call, options, target)
  const remote = await callWithinLimits(parts, call, target, { ...options, signal, deadlineAtMs: deadline, span })
  stopScope.dispose()

  const outcome = await judge(call, remote, signal)
  const session =
    remote.session ??
    standInSession({
      id: (remote.ok ? null : remote.sessionId) ?? newId(),
      tactic: target.tactic,
      task: call.task,
      startedAtMs,
      endedAtMs: clock.now(),
      error: outcome.ok ? new LllmError('internal-error', 'A remote call ended without a session.') : outcome.error,
      endReason: signal.aborted ? endReasonOf(signal) : null,
      cost: remote.ok ? noCost : remote.cost,
      newId,
    })
  const ended: Outcome = { ...outcome, session }
  endWorkflow(span, ended)
  await tellCall(options, target, session, signal)
  return ended
}

type Judged = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: LllmError }

async function judge({ tactic }: PreparedCall, remote: RemoteOutcome, signal: AbortSignal): Promise<Judged> {
  if (signal.aborted) return { ok: false, error: stopError(signal) }
  if (!remote.ok) return remote
  try {
    return { ok: true, output: await readResult(tactic, remote.result) }
  } catch (error) {
    return { ok: false, error: toLllmError(error) }
  }
}

async function callWithinLimits(
  parts: EngineParts,
  call: PreparedCall,
  target: RemoteTarget,
  options: ExecuteOptions & { readonly signal: AbortSignal; readonly deadlineAtMs: number; readonly span: Span },
): Promise<RemoteOutcome> {
  const { signal, span } = options
  const meter = openRemoteMeter(parts, call, options)
  try {
    if (parts.remotes === undefined) throw new LllmError('internal-error', 'Here no remote tactic can be called.')
    await meter.checkDepth()
    const reservation = await meter.reserveRest(target.budgetPicoUsd, signal)
    const allowed = toLimits(reservation.amounts, target, meter.depthLeft)
    const timeLeftMs = options.deadlineAtMs - parts.world.clock.now()
    const limits = Number.isFinite(timeLeftMs) ? { ...allowed, timeoutMs: timeLeftMs } : allowed
    const remote = await parts.remotes
      .call({ target, task: call.task, limits, signal, trace: span.headers })
      .catch(afterAll)
    reservation.settle(takenBy(remote))
    return refuseExcess(remote, allowed)
  } catch (error) {
    // In a turn of its own: a tactic that swallows this and calls again for ever must not keep the process busy.
    await nextTurn()
    return { ok: false, error: toLllmError(error), session: null, sessionId: null, cost: noCost }
  }
}

/** Of a call that may have begun, when what should never fail has failed. */
function afterAll(error: unknown): RemoteOutcome {
  return { ok: false, error: toLllmError(error), session: null, sessionId: null, cost: costOf(null, null) }
}

/** What was set aside is what the call may take. An amount of nothing was not limited. */
function toLimits({ usd, tokens, llm_calls }: Amounts, target: RemoteTarget, depth: number | undefined): Limits {
  const budgetPicoUsd = usd > 0n ? usd : target.budgetPicoUsd
  return {
    ...(budgetPicoUsd === undefined ? {} : { budgetPicoUsd }),
    ...(tokens > 0n ? { tokens: Number(tokens) } : {}),
    ...(llm_calls > 0n ? { llmCalls: Number(llm_calls) } : {}),
    ...(depth === undefined ? {} : { depth }),
  }
}

/** What a call took, as far as that is known for certain. Of what is not, all that was set aside counts as spent. */
function takenBy(remote: RemoteOutcome): Partial<Amounts> {
  const { session } = remote
  if (session === null) {
    const isFree = !remote.ok && remote.cost.pricedCalls + remote.cost.unpricedCalls === 0
    return isFree ? { usd: 0n, tokens: 0n, llm_calls: 0n } : {}
  }
  const { cost } = session
  const llm_calls = BigInt(countLlmCalls(session))
  if (cost.unpricedCalls > 0 || hasEstimates(session)) return { llm_calls }
  return { usd: BigInt(cost.promptPicoUsd + cost.completionPicoUsd), tokens: BigInt(cost.totalTokens), llm_calls }
}

/** Whether the tokens of any reply were only guessed, because it was cut short. */
function hasEstimates({ agentCalls, subSessions }: Session): boolean {
  const isGuessed = agentCalls.some(({ llmCalls }) => llmCalls.some(({ usage }) => usage?.estimated === true))
  return isGuessed || subSessions.some(hasEstimates)
}

/** A service that spends more than it was allowed to is not one whose results are taken as if nothing had happened. */
function refuseExcess(remote: RemoteOutcome, { budgetPicoUsd }: Limits): RemoteOutcome {
  if (!remote.ok || budgetPicoUsd === undefined) return remote
  const { session } = remote
  const { promptPicoUsd, completionPicoUsd } = session.cost
  if (BigInt(promptPicoUsd + completionPicoUsd) <= budgetPicoUsd) return remote
  const error = new LllmError('remote-failed', 'The service of the remote tactic spent more than it was allowed to.')
  return { ok: false, error, session, sessionId: session.id, cost: session.cost }
}

function toLllmError(error: unknown): LllmError {
  if (isLllmError(error)) return error
  return new LllmError('remote-failed', 'The remote call failed in a way that it should not.', {}, { cause: error })
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
