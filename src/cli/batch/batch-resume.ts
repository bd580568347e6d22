import { createReadStream } from 'node:fs'
import { LllmError } from '../../domain/errors.ts'
import { lineHash, type ReadLine, readLine } from './batch-line.ts'

/** A longer line is no result. */
const lineBytesMax = 64 * 1024 * 1024

/** What there is of a batch already. */
export interface Earlier {
  /** By the index of the task. */
  readonly done: Uint8Array
  readonly doneCount: number
  /** Where the last whole line ends: what comes after it was torn off. */
  readonly bytes: number
  /** Whether the last line is whole but for its end. */
  readonly lacksNewline: boolean
}

/** What the batch that goes on consists of. */
export interface Wanted {
  readonly work: string
  readonly tasks: readonly string[]
}

/**
 * Reads the results of a batch that was ended, a line at a time.
 *
 * @throws LllmError `invalid-parameter` when the file is not that of this batch: a result in it would be kept for another task.
 */
export async function readEarlier(path: string, shown: string, wanted: Wanted, signal: AbortSignal): Promise<Earlier> {
  const done = new Uint8Array(wanted.tasks.length)
  let bytes = 0
  let lacksNewline = false
  let number = 0
  for await (const line of linesOf(path, shown)) {
    signal.throwIfAborted()
    number++
    const read = readLine(line.text)
    if (read === undefined) {
      // A process that was killed in the middle of its last line left this.
      if (!line.isEnded && isTorn(line.text)) break
      throw refusal(`${shown}, line ${number}, is no result of a batch`, 'Is it the right file?')
    }
    refuseOther(read, `${shown}, line ${number},`, wanted)
    if (read.isSuccess) done[read.index] = 1
    bytes += line.bytes
    lacksNewline = !line.isEnded
  }
  return { done, doneCount: done.reduce((sum, flag) => sum + flag, 0), bytes, lacksNewline }
}

/** What every result begins with. */
const lineHead = '{"index":'

/** Whether a text may be the beginning of a result. Anything else must not be cut off: it is somebody's, and in no session. */
function isTorn(text: string): boolean {
  return text.slice(0, lineHead.length) === lineHead.slice(0, text.length)
}

function refuseOther({ index, isSuccess, work, task }: ReadLine, place: string, wanted: Wanted) {
  const hint = 'Give the same tactic, config and tasks, or another --out.'
  if (work !== wanted.work) {
    throw refusal(`${place} has the result of another tactic or config (hash ${lineHash(work, task)})`, hint)
  }
  if (index >= wanted.tasks.length) {
    throw refusal(`${place} has the result of task ${index}, but there are only ${wanted.tasks.length} tasks`, hint)
  }
  // A task that failed may well have been put right since. One that succeeded and is another now was paid for in vain, or
  // the file is another.
  if (isSuccess && task !== wanted.tasks[index]) {
    throw refusal(`${place} has the result of task ${index}, which was another task then`, hint)
  }
}

function refusal(fact: string, hint: string) {
  return new LllmError('invalid-parameter', `--resume: ${fact}. ${hint}`)
}

interface Line {
  readonly text: string
  /** With its end. */
  readonly bytes: number
  readonly isEnded: boolean
}

async function* linesOf(path: string, shown: string): AsyncGenerator<Line> {
  let parts: Buffer[] = []
  let length = 0
  const takeLine = (end: number): Line => {
    const text = Buffer.concat(parts).toString()
    const line = { text, bytes: length + end, isEnded: end === 1 }
    parts = []
    length = 0
    return line
  }
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0
    for (;;) {
      const newline = chunk.indexOf(0x0a, start)
      const piece = chunk.subarray(start, newline === -1 ? chunk.length : newline)
      parts.push(piece)
      length += piece.length
      if (length > lineBytesMax)
        throw refusal(`${shown} has a line of more than ${lineBytesMax} bytes`, 'Is it the right file?')
      if (newline === -1) break
      yield takeLine(1)
      start = newline + 1
    }
  }
  if (length > 0) yield takeLine(0)
}
