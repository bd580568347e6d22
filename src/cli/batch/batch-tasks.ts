import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import type { BoundConfig, BoundTactic, Engine, PreparedCall } from '../../engine/engine.ts'
import { parseTask, readBytes, readFileBytes } from '../run/run-input.ts'
import { tellInput } from '../run/run-task.ts'
import type { Shell } from '../shell.ts'
import { hashOfTask } from './batch-line.ts'

/** Bytes of a file of tasks. It is held in memory, and little beside it. */
export const taskFileBytesMax = 256 * 1024 * 1024
export const tasksMax = 1_000_000
const mistakesShownMax = 10
/** So many tasks are judged until Ctrl-C is heard. */
const judgedAtOnce = 256

/** The tasks of a batch, as the bytes that they were given as: a task is parsed when it is needed. */
export interface TaskList {
  readonly count: number
  /** The number of a task's line, from 1. */
  lineOf(index: number): number
  bytesOf(index: number): Buffer
}

export async function readTasks({ stdin, folder }: Shell, file: string, signal: AbortSignal): Promise<TaskList> {
  const bounds = { name: 'The standard input', bytesMax: taskFileBytesMax }
  const bytes =
    file === '-' ? await readBytes(stdin, bounds, signal) : await readFileBytes(folder, file, taskFileBytesMax, signal)
  return findTasks(bytes, file === '-' ? 'the standard input' : file)
}

/** @throws LllmError `invalid-parameter` when there are no tasks, or too many. */
export function findTasks(bytes: Buffer, name: string): TaskList {
  const starts: number[] = []
  const ends: number[] = []
  const numbers: number[] = []
  let number = 0
  for (let start = startOf(bytes); start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline === -1 ? bytes.length : newline
    number++
    if (!isBlank(bytes, start, end)) {
      if (starts.length === tasksMax) {
        throw new LllmError('invalid-parameter', `There are more than ${tasksMax} tasks in ${name}: part it.`)
      }
      starts.push(start)
      ends.push(end)
      numbers.push(number)
    }
    start = end + 1
  }
  if (starts.length === 0) throw new LllmError('invalid-parameter', `There are no tasks in ${name}.`)
  return {
    count: starts.length,
    lineOf: (index) => numbers[index] ?? 0,
    bytesOf: (index) => bytes.subarray(starts[index], ends[index]),
  }
}

/** Editors of some systems put a mark at the beginning, which is no part of the text. */
function startOf(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  }
  return true
}

/** Tasks that all fit. */
export interface JudgedTasks {
  /** Of each task, by which its result is known again. */
  readonly hashes: readonly string[]
  readonly config: BoundConfig
}

/**
 * Judges all tasks, so that a batch with one that does not fit spends nothing.
 *
 * @throws LllmError `invalid-task` that names the lines, `unknown-config`, or the reason of the signal.
 */
export async function judgeTasks(
  { engine, tactic, config }: { readonly engine: Engine; readonly tactic: BoundTactic; readonly config?: string },
  tasks: TaskList,
  signal: AbortSignal,
): Promise<JudgedTasks> {
  const hashes: string[] = []
  let found: BoundConfig | undefined
  const mistakes: string[] = []
  let mistakeCount = 0
  for (let index = 0; index < tasks.count; index++) {
    if (index % judgedAtOnce === 0) await nextTurn()
    signal.throwIfAborted()
    const judged = await judge(tasks, index, (task) => engine.prepare(tactic, task, config))
    if (judged.ok) {
      hashes.push(judged.hash)
      found = judged.config
    } else if (mistakeCount++ < mistakesShownMax) {
      mistakes.push(`Line ${tasks.lineOf(index)} ${judged.fault}.`)
    }
  }
  if (mistakeCount === 0 && found !== undefined) return { hashes, config: found }
  const more = mistakeCount > mistakesShownMax ? [`And ${mistakeCount - mistakesShownMax} lines more.`] : []
  const told = [...mistakes, ...more, tellInput(tactic), 'Nothing was started.']
  throw new LllmError('invalid-task', told.join('\n'))
}

type Judged =
  | { readonly ok: true; readonly hash: string; readonly config: BoundConfig }
  | { readonly ok: false; readonly fault: string }

async function judge(
  tasks: TaskList,
  index: number,
  prepare: (task: unknown) => Promise<PreparedCall>,
): Promise<Judged> {
  const parsed = parseLine(tasks, index)
  if (!parsed.ok) return parsed
  try {
    const { config } = await prepare(parsed.task)
    return { ok: true, hash: hashOfTask(parsed.task), config }
  } catch (error) {
    if (!isLllmError(error) || error.code !== 'invalid-task') throw error
    const issues = error.data.issues ?? []
    return {
      ok: false,
      fault: `does not fit: ${issues.map(({ pointer, message }) => `${pointer || 'the task'}: ${message}`).join('; ')}`,
    }
  }
}

export function parseLine(tasks: TaskList, index: number) {
  const bytes = tasks.bytesOf(index)
  return isUtf8(bytes) ? parseTask(bytes.toString()) : ({ ok: false, fault: 'is not UTF-8' } as const)
}
