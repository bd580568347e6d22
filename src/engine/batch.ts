import { LllmError } from '../domain/errors.ts'
import type { StopScope } from '../domain/stop.ts'
import type { BatchOptions } from '../domain/tactic.ts'

export const batchWorkers = { default: 4, max: 1000 } as const

/** A batch's item; null: it was never started. */
export interface BatchResult<Result> {
  readonly index: number
  readonly result: Result | null
}

/**
 * Works through tasks with a bounded number of workers and yields each result as it comes. With `failFast` the first
 * failure in time stops the scope. Once that has stopped no further task is started: those left are yielded as null at the end.
 *
 * `run` must not reject, and heeds the signal of the scope. A reader who is slow to take results holds the workers up: what nobody reads is not paid ahead.
 *
 * @throws LllmError `invalid-request` when the number of workers does not fit.
 */
export async function* runBatch<Task, Result extends { readonly ok: boolean }>(
  tasks: readonly Task[],
  run: (task: Task, index: number) => Promise<Result>,
  scope: StopScope,
  { maxWorkers = batchWorkers.default, failFast = false }: BatchOptions,
): AsyncGenerator<BatchResult<Result>, void, undefined> {
  if (!Number.isInteger(maxWorkers) || maxWorkers < 1 || maxWorkers > batchWorkers.max) {
    throw new LllmError('invalid-request', `maxWorkers must be a whole number from 1 to ${batchWorkers.max}.`)
  }
  const done: BatchResult<Result>[] = []
  let underWay = 0
  let next = 0
  let wake = () => {}

  async function work(index: number) {
    const result = await run(tasks[index] as Task, index)
    // At once, not when somebody reads it: the next task must not slip in before. And whoever asked for this wants
    // nothing further to be paid: what is under way ends as well.
    if (failFast && !result.ok) scope.stop('cancelled')
    done.push({ index, result })
    wake()
  }

  for (;;) {
    for (; underWay < maxWorkers && next < tasks.length && !scope.signal.aborted; underWay++) void work(next++)
    if (underWay === 0) break
    if (done.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    for (const finished of done.splice(0)) {
      underWay--
      yield finished
    }
  }
  for (; next < tasks.length; next++) yield { index: next, result: null }
}
