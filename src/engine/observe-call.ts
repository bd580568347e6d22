import type { CallEnd, Observe } from '../domain/observation.ts'
import type { Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'

/** Tells of the start and of the end of a call that somebody has made from outside. */
export async function observeCall(
  { observe, world: { clock } }: Pick<EngineParts, 'observe' | 'world'>,
  { tactic: { name: tactic } }: PreparedCall,
  options: ExecuteOptions | undefined,
  execute: () => Promise<Outcome>,
): Promise<Outcome> {
  if (observe === undefined) return execute()
  const startedAtMs = clock.now()
  observe({ type: 'call.started', tactic })
  const outcome = await execute()
  const state = endOf(outcome, options?.run !== undefined)
  const code = outcome.ok ? null : outcome.error.code
  observe({ type: 'call.ended', tactic, state, code, durationMs: clock.now() - startedAtMs })
  return outcome
}

/** Tells of the end of a call that a tactic has made of another one. */
export function observeSubCall(observe: Observe | undefined, tactic: string, { session: { state } }: Outcome): void {
  observe?.({ type: 'sub-call.ended', tactic, state })
}

/** A run whose process stops, or is not its owner any more, goes on elsewhere. */
function endOf(outcome: Outcome, isRun: boolean): CallEnd {
  const { state, endReason } = outcome.session
  if (!isRun || outcome.ok) return state
  return endReason === 'shutdown' || outcome.error.code === 'run-fenced' ? 'released' : state
}
