import type { CallEnd, Observe } from '../domain/observation.ts'
import type { Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'

type Watched = Pick<EngineParts, 'observe' | 'world'>

/** Tells of the start of a call that somebody has made from outside. Gives when that was. */
export function observeStart({ observe, world: { clock } }: Watched, { tactic }: PreparedCall): number {
  observe?.({ type: 'call.started', tactic: tactic.name })
  return clock.now()
}

/** Tells of the end of a call whose start was told. */
export function observeEnd(
  { observe, world: { clock } }: Watched,
  { tactic }: PreparedCall,
  options: ExecuteOptions | undefined,
  startedAtMs: number,
  outcome: Outcome,
): void {
  const state = endOf(outcome, options?.run !== undefined)
  const code = outcome.ok ? null : outcome.error.code
  observe?.({ type: 'call.ended', tactic: tactic.name, state, code, durationMs: clock.now() - startedAtMs })
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
