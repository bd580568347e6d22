import { isLllmError, LllmError } from '../../domain/errors.ts'
import type { BoundTactic, Engine, PreparedCall } from '../../engine/engine.ts'
import type { Shell } from '../shell.ts'
import { parseTask, readBytes, readUtf8 } from './run-input.ts'
import { shapeOf } from './run-shape.ts'

/** Bytes of a task that comes through a pipe: as much as the service takes by default. */
const taskBytesMax = 10 * 1024 * 1024
/** A longer example would hide the message that it is to explain. */
const exampleLengthMax = 400

/** Gives the text of a task, once that is needed. */
export type ReadTaskText = (signal: AbortSignal) => Promise<string>

/**
 * Where the task comes from: the command line, or the standard input.
 *
 * @throws LllmError `invalid-parameter` when there is none and nobody pipes one in: a terminal is not waited for.
 */
export function findTaskText(given: string | undefined, { stdin }: Shell): ReadTaskText {
  if (given !== undefined && given !== '-') return async () => given
  if (given === undefined && stdin.isTTY === true) {
    throw new LllmError(
      'invalid-parameter',
      'There is no task. Give it after the name of the tactic, or pipe it in; - reads what is typed until Ctrl-D.',
    )
  }
  return async (signal) => {
    const name = 'The standard input'
    const text = readUtf8(await readBytes(stdin, { name, bytesMax: taskBytesMax }, signal), name)
    // The end of the last line is that of the text; `echo` and editors write it.
    const task = text.replace(/\r?\n$/, '')
    if (task !== '') return task
    throw new LllmError('invalid-parameter', 'There is no task: the standard input is empty.')
  }
}

/**
 * Makes a call of a text: as it is for a tactic that takes a string, otherwise as JSON.
 *
 * @throws LllmError `invalid-task` that shows what the tactic takes, or `unknown-config`.
 */
export async function prepareText(
  engine: Engine,
  tactic: BoundTactic,
  text: string,
  config: string | undefined,
): Promise<PreparedCall> {
  try {
    return await engine.prepare(tactic, readTask(tactic, text), config)
  } catch (error) {
    if (!isLllmError(error) || error.code !== 'invalid-task') throw error
    throw new LllmError('invalid-task', `${error.message}\n${tellInput(tactic)}`, error.data)
  }
}

function readTask(tactic: BoundTactic, text: string): unknown {
  if (tactic.inputSchema['type'] === 'string') return text
  const parsed = parseTask(text)
  if (parsed.ok) return parsed.task
  throw new LllmError('invalid-task', `The task ${parsed.fault}, and the tactic "${tactic.name}" takes no plain text.`)
}

/** What a tactic takes, for whoever gave it something else. */
export function tellInput({ inputSchema, tactic }: BoundTactic): string {
  const [first] = tactic.spec.examples
  const example = first === undefined ? '' : JSON.stringify(first)
  const shown = example !== '' && example.length <= exampleLengthMax ? `\nFor example: ${example}` : ''
  return `It takes: ${shapeOf(inputSchema)}${shown}`
}
