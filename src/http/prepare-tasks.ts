import { setImmediate } from 'node:timers/promises'
import { type Issue, isLllmError } from '../domain/errors.ts'
import type { BoundTactic, Engine, PreparedCall } from '../engine/engine.ts'
import { unfit } from './parse.ts'

/** Once this many issues are known, the remaining tasks are not judged any more. */
const issuesMax = 20
/** Tasks that are judged before other requests get their turn: a few milliseconds. */
const tasksPerTurn = 1_000

/** Judges one task. Rejects with an LllmError whose pointers begin with `pointer`, the place of the task in the body. */
export async function prepareTask(
  engine: Engine,
  tactic: BoundTactic,
  task: unknown,
  config: string | undefined,
  pointer: string,
): Promise<PreparedCall> {
  try {
    return await engine.prepare(tactic, task, config)
  } catch (error) {
    if (!isLllmError(error) || error.code !== 'invalid-task') throw error
    const issues: readonly Issue[] = error.data.issues ?? [{ pointer: '', message: error.message }]
    throw unfit(
      'invalid-task',
      issues.map((issue) => ({ ...issue, pointer: pointer + issue.pointer })),
    )
  }
}

/** Judges all tasks of a batch, so that a batch with a task that does not fit spends nothing. */
export async function prepareTasks(
  engine: Engine,
  tactic: BoundTactic,
  tasks: readonly unknown[],
  config: string | undefined,
  pointerOf: (index: number) => string = (index) => `/tasks/${index}`,
): Promise<readonly PreparedCall[]> {
  const calls: PreparedCall[] = []
  const issues: Issue[] = []
  for (const [index, task] of tasks.entries()) {
    if (index % tasksPerTurn === tasksPerTurn - 1) await setImmediate()
    try {
      calls.push(await prepareTask(engine, tactic, task, config, pointerOf(index)))
    } catch (error) {
      if (!isLllmError(error) || error.code !== 'invalid-task') throw error
      issues.push(...(error.data.issues ?? []))
      if (issues.length >= issuesMax) break
    }
  }
  if (issues.length > 0) throw unfit('invalid-task', issues)
  return calls
}
