import { setImmediate as nextTurn } from 'node:timers/promises'
import { costOf, noCost } from '../domain/cost.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { type Amounts, type Limits, noAmounts } from '../domain/limits.ts'
import type { RemoteOutcome, RemoteTarget } from '../domain/remote.ts'
import { countLlmCalls, type Session } from '../domain/session.ts'
import type { Span } from '../domain/tracing.ts'
import type { PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'
import { openRemoteMeter } from './open-meter.ts'
import type { RemoteKeeper } from './remote-journal.ts'

export interface RemoteOptions extends ExecuteOptions {
  readonly signal: AbortSignal
  readonly deadlineAtMs: number
  readonly span: Span
  /** Of a run. */
  readonly keeper?: RemoteKeeper
  /** The session of a call of which nobody ever hears. */
  lost(): Session
}

export interface Called {
  readonly remote: RemoteOutcome
  /** Undefined: nothing was begun now. */
  readonly taken?: Amounts
}

/**
 * Calls a tactic of another service, which is told to spend no more than what is set aside for it here. In a run, what an earlier attempt
 * has got to its end is not called again. It never rejects.
 */
export async function callRemote(
  parts: EngineParts,
  call: PreparedCall,
  target: RemoteTarget,
  options: RemoteOptions,
): Promise<Called> {
  const { signal, span, keeper } = options
  const meter = openRemoteMeter(parts, call, options)
  try {
    for (const taken of keeper?.takenBefore ?? []) meter.charge(taken)
    if (keeper?.past !== undefined) {
      span.event('lllm.tactic.replayed', () => ({ 'gen_ai.workflow.name': target.tactic }))
      return { remote: keeper.past }
    }
    if (parts.remotes === undefined) throw new LllmError('internal-error', 'Here no remote tactic can be called.')
    await meter.checkDepth()
    const reservation = await meter.reserveRest(target.budgetPicoUsd, signal)
    const allowed = toLimits(reservation.amounts, target, meter.depthLeft)
    await keeper?.begin(options.lost(), reservation.amounts).catch((error: unknown) => {
      reservation.settle(noAmounts)
      throw error
    })
    const timeLeftMs = options.deadlineAtMs - parts.world.clock.now()
    const limits = Number.isFinite(timeLeftMs) ? { ...allowed, timeoutMs: timeLeftMs } : allowed
    const remote = await parts.remotes
      .call({ target, task: call.task, limits, signal, trace: span.headers })
      .catch(afterAll)
    const taken = { ...reservation.amounts, ...takenBy(remote) }
    reservation.settle(taken)
    return { remote: refuseExcess(remote, allowed), taken }
  } catch (error) {
    // In a turn of its own: a tactic that swallows this and calls again for ever must not keep the process busy.
    await nextTurn()
    return { remote: { ...unknownOutcome, error: toRemoteError(error), cost: noCost } }
  }
}

/** Of a call of which nothing is known. */
const unknownOutcome = { ok: false, session: null, sessionId: null, cost: costOf(null, null) } as const

/** Of a call that may have begun, when what should never fail has failed. */
function afterAll(error: unknown): RemoteOutcome {
  return { ...unknownOutcome, error: toRemoteError(error) }
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

export function toRemoteError(error: unknown): LllmError {
  if (isLllmError(error)) return error
  return new LllmError('remote-failed', 'The remote call failed in a way that it should not.', {}, { cause: error })
}
