import { LllmError } from '../domain/errors.ts'
import type { Session } from '../domain/session.ts'
import type { BatchOptions, GivenTo, OutputOf, Settled, TacticClass } from '../domain/tactic.ts'
import type { BoundTactic, CallOptions, Engine, PreparedCall } from './engine.ts'
import { inOrder, toSettled } from './settled.ts'

export interface HandleOptions extends CallOptions {
  /** The short name of a config: `default`, `pro`. */
  readonly config?: string
}

/** A call together with its session: the counterpart of `return_session=True`. */
export type CallReport<Output> =
  | { readonly ok: true; readonly result: Output; readonly session: Session }
  | { readonly ok: false; readonly error: LllmError; readonly session: Session }

/** A tactic that is ready to be called from one's own code, any number of times at once. */
export interface TacticHandle<Input = unknown, Output = unknown> {
  /** Calls the tactic. Rejects with the LllmError that ended the call. */
  (task: Input, options?: HandleOptions): Promise<Output>
  /** Calls the tactic and gives the whole session, also of a call that failed. Rejects only when the task or the config does not fit. */
  session(task: Input, options?: HandleOptions): Promise<CallReport<Output>>
  /** Many tasks with bounded workers, in the order of the tasks. All tasks are judged before the first one starts. */
  batch(tasks: readonly Input[], options?: HandleOptions & BatchOptions): Promise<readonly Settled<Output>[]>
  /** The same in order of completion. Leaving the loop cancels what is left. */
  asCompleted(tasks: readonly Input[], options?: HandleOptions & BatchOptions): AsyncIterable<Settled<Output>>
}

export type HandleOf<T extends TacticClass> = TacticHandle<GivenTo<T>, OutputOf<T>>

/** Wraps a bound tactic. The types are the caller's promise; the schemas check them at every call. */
export function makeHandle<Input, Output>(engine: Engine, tactic: BoundTactic): TacticHandle<Input, Output> {
  async function session(task: Input, { config, ...options }: HandleOptions = {}): Promise<CallReport<Output>> {
    const outcome = await engine.execute(await engine.prepare(tactic, task, config), options)
    if (!outcome.ok) return outcome
    return { ok: true, result: outcome.output as Output, session: outcome.session }
  }

  async function call(task: Input, options?: HandleOptions): Promise<Output> {
    const report = await session(task, options)
    if (report.ok) return report.result
    throw report.error
  }

  async function* asCompleted(
    tasks: readonly Input[],
    { config, ...options }: HandleOptions & BatchOptions = {},
  ): AsyncGenerator<Settled<Output>> {
    const calls = await prepareAll(engine, tactic, tasks, config)
    for await (const item of engine.batch(calls, options)) yield toSettled<Output>(item.index, item.outcome)
  }

  async function batch(tasks: readonly Input[], options?: HandleOptions & BatchOptions) {
    return inOrder(await Array.fromAsync(asCompleted(tasks, options)))
  }

  return Object.assign(call, { session, batch, asCompleted })
}

/** Judges all tasks of a batch. @throws LllmError `invalid-task` whose pointers begin with the task's index: `/3/topic`. */
export async function prepareAll(
  engine: Engine,
  tactic: BoundTactic,
  tasks: readonly unknown[],
  config?: string,
): Promise<readonly PreparedCall[]> {
  const calls: PreparedCall[] = []
  for (const [index, task] of tasks.entries()) {
    try {
      calls.push(await engine.prepare(tactic, task, config))
    } catch (error) {
      if (!(error instanceof LllmError) || error.code !== 'invalid-task') throw error
      const issues = (error.data.issues ?? []).map((issue) => ({ ...issue, pointer: `/${index}${issue.pointer}` }))
      throw new LllmError('invalid-task', `Task ${index} of the batch does not fit. ${error.message}`, { issues })
    }
  }
  return calls
}
