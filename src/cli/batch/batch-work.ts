import { setImmediate as nextTurn } from 'node:timers/promises'
import { budgetName } from '../../domain/budget.ts'
import { noCost } from '../../domain/cost.ts'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { toPicoUsd } from '../../domain/limits.ts'
import type { StopScope } from '../../domain/stop.ts'
import { runBatch } from '../../engine/batch.ts'
import type { BoundTactic, Engine } from '../../engine/engine.ts'
import { Meter } from '../../engine/meter.ts'
import type { BatchFlags } from './batch-command.ts'
import { type Ended, lineHash, statusOf, toLine } from './batch-line.ts'
import type { Sink } from './batch-out.ts'
import { parseLine, type TaskList } from './batch-tasks.ts'
import type { Progress } from './progress.ts'

export interface BatchWork {
  readonly engine: Engine
  readonly tactic: BoundTactic
  readonly tasks: TaskList
  /** The indexes of the tasks to do. */
  readonly todo: readonly number[]
  readonly workHash: string
  readonly taskHashes: readonly string[]
  readonly flags: BatchFlags
  /** Milliseconds that each call may take. */
  readonly timeoutMs: number
  readonly sink: Sink
  readonly progress: Progress
  onEnded(): void
  /** Stops: no more tasks are started. */
  readonly drain: StopScope
  /** Stops: the calls under way are cancelled. */
  readonly cancel: StopScope
}

/** What ended a batch before all of its tasks were started. */
export interface BatchStop {
  /** A line could not be written. */
  unwritten?: unknown
  /** Results that are not in the output, or only in part. */
  lostCount: number
  /** A budget that all tasks spend from is used up. */
  budget?: LllmError
}

/** What the limit of `--budget` is called in messages. */
const batchName = 'the batch'

/** A task whose result waits to be written. Its session is let go of: it is stored, and may be large. */
interface Item {
  readonly ok: boolean
  readonly line: string
}

/** Does the tasks and writes the line of each as it ends. Rejects for nothing that a task or the output can do. */
export async function workThrough(work: BatchWork): Promise<BatchStop> {
  const { todo, sink, progress, drain, flags } = work
  const stop: BatchStop = { lostCount: 0 }
  const limits = flags.budget === undefined ? {} : { budgetPicoUsd: toPicoUsd(flags.budget) }
  const meter = new Meter({ name: batchName, limits })
  const run = (index: number) => runOne(work, index, meter, stop)
  const workers = flags.maxWorkers === undefined ? {} : { maxWorkers: flags.maxWorkers }
  for await (const { result } of runBatch(todo, run, drain, workers)) {
    if (result === null) {
      progress.add('skipped', noCost)
    } else if (stop.unwritten !== undefined) {
      stop.lostCount++
    } else {
      try {
        await sink.write(result.line)
      } catch (error) {
        stop.lostCount++
        // What was paid is in the sessions. After half a line no other may follow, and nothing more is to be paid.
        stop.unwritten = error
        drain.stop('cancelled')
      }
    }
    work.onEnded()
  }
  return stop
}

async function runOne(work: BatchWork, index: number, meter: Meter, stop: BatchStop): Promise<Item> {
  const { flags, progress, drain, cancel, workHash, taskHashes } = work
  // A model that answers at once, such as the simulated one, must not keep Ctrl-C from being heard.
  await nextTurn()
  const ended = await call(work, index, meter)
  progress.add(statusOf(ended), ended.session?.cost ?? noCost)
  if (!ended.ok && isUsedUp(work.engine, ended.error)) {
    stop.budget ??= ended.error
    drain.stop('cancelled')
  }
  if (!ended.ok && flags.failFast === true) {
    drain.stop('cancelled')
    cancel.stop('cancelled')
  }
  return { ok: ended.ok, line: toLine(index, ended, lineHash(workHash, taskHashes[index] ?? '')) }
}

async function call(work: BatchWork, index: number, meter: Meter): Promise<Ended> {
  const { engine, tactic, tasks, flags, timeoutMs, cancel } = work
  try {
    const parsed = parseLine(tasks, index)
    if (!parsed.ok) throw new LllmError('invalid-task', `The task ${parsed.fault}.`)
    const prepared = await engine.prepare(tactic, parsed.task, flags.config)
    const tags = flags.tag === undefined ? {} : { tags: flags.tag }
    return await engine.execute(prepared, { signal: cancel.signal, timeoutMs, meter, ...tags })
  } catch (error) {
    // It was judged before; a schema that judges otherwise each time is the author's.
    const told = isLllmError(error) ? error : new LllmError('internal-error', 'The task could not be started.')
    return { ok: false, error: told, session: null }
  }
}

/** Whether a budget is used up that the other tasks spend from as well: each of them would only fail in the same way. */
function isUsedUp(engine: Engine, { code, data }: LllmError): boolean {
  const name = data.budget?.name
  if (code !== 'budget-exceeded' || name === undefined) return false
  return name === batchName || engine.budgets().some(({ budget }) => name.startsWith(budgetName(budget)))
}
