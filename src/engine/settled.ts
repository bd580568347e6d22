import { LllmError } from '../domain/errors.ts'
import type { Session } from '../domain/session.ts'
import type { Settled } from '../domain/tactic.ts'

/** How a task of a batch ended. Without a session its call was never begun, because the task does not fit. */
export type Ended =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: LllmError; readonly session: Pick<Session, 'state'> | null }

/** What the author of a batch sees of a task. Null: it was never started. */
export function toSettled<Output>(index: number, ended: Ended | null): Settled<Output> {
  if (ended === null) {
    return { index, status: 'skipped', error: new LllmError('skipped', 'The batch had ended before.') }
  }
  if (ended.ok) return { index, status: 'success', result: ended.output as Output }
  return { index, status: ended.session?.state === 'cancelled' ? 'cancelled' : 'failure', error: ended.error }
}

/** In the order of the tasks. */
export function inOrder<Output>(settled: readonly Settled<Output>[]): readonly Settled<Output>[] {
  return settled.toSorted((left, right) => left.index - right.index)
}
