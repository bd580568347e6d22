import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { LllmError } from '../../domain/errors.ts'
import { forbiddenKeys, isDeeperThan } from '../../domain/json.ts'
import { untilAborted } from '../../domain/until-aborted.ts'
import { bodyDepthMax } from '../../http/json-body.ts'

/** How an input is called in messages, and how much of it there may be. */
export interface InputBounds {
  readonly name: string
  readonly bytesMax: number
}

/**
 * Reads a stream to its end.
 *
 * @throws LllmError `invalid-parameter` when there is more of it than its bound, or when it cannot be read; the reason of the
 *   signal once that aborts.
 */
export async function readBytes(
  stream: Readable,
  bounds: InputBounds,
  signal: AbortSignal,
): Promise<Buffer<ArrayBuffer>> {
  const { name, bytesMax } = bounds
  const chunks: Buffer[] = []
  let length = 0
  async function read() {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk as Uint8Array)
      length += bytes.length
      if (length > bytesMax) throw tooLarge(bounds)
      chunks.push(bytes)
    }
  }
  try {
    await untilAborted(read, signal)
  } catch (error) {
    stream.destroy()
    throw asUnreadable(error, name)
  }
  return Buffer.concat(chunks)
}

const readFailures: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'this process may not read it'],
  ['EPERM', 'this process may not read it'],
  ['ENOTDIR', 'a part of its path is no folder'],
])

function asUnreadable(error: unknown, name: string): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined
  if (code === undefined) return error
  return new LllmError(
    'invalid-parameter',
    `${name} cannot be read: ${readFailures.get(code) ?? code}.`,
    {},
    { cause: error },
  )
}

/** The same for a file. One that is too large is not read at all. */
export async function readFileBytes(
  folder: string,
  file: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Buffer<ArrayBuffer>> {
  const path = resolve(folder, file)
  const bounds = { name: `The file ${file}`, bytesMax }
  const found = await stat(path).catch((error: unknown) => {
    throw asUnreadable(error, bounds.name)
  })
  if (found.size > bytesMax) throw tooLarge(bounds)
  return readBytes(createReadStream(path), bounds, signal)
}

function tooLarge({ name, bytesMax }: InputBounds): LllmError {
  return new LllmError('invalid-parameter', `${name} has more than ${bytesMax} bytes, which is the most that is read.`)
}

/** @throws LllmError `invalid-task` */
export function readUtf8(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString()
  throw new LllmError('invalid-task', `${name} is not UTF-8.`)
}

/** A task as JSON, judged as the body of a request is. */
export type ParsedTask = { readonly ok: true; readonly task: unknown } | { readonly ok: false; readonly fault: string }

export function parseTask(text: string): ParsedTask {
  let task: unknown
  try {
    task = JSON.parse(text)
  } catch (error) {
    return { ok: false, fault: `is not JSON${placeOf(error)}` }
  }
  if (isDeeperThan(task, bodyDepthMax)) return { ok: false, fault: `nests deeper than ${bodyDepthMax} levels` }
  const key = findForbiddenKey(task)
  return key === undefined ? { ok: true, task } : { ok: false, fault: `has the key "${key}", which it must not have` }
}

/** The parser quotes its input in its message; the position is what helps. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? /at position \d{1,12}/.exec(error.message) : null
  return place === null ? '' : ` (${place[0]})`
}

/** The value has been found to be no deeper than its bound. */
function findForbiddenKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) {
    const found = Object.keys(value).find((key) => forbiddenKeys.has(key) && isHarmful(key, value))
    if (found !== undefined) return found
  }
  for (const inner of Object.values(value)) {
    const found = findForbiddenKey(inner)
    if (found !== undefined) return found
  }
  return undefined
}

/** As the service has it: `constructor` and `prototype` are words like others, unless one is inside the other. */
function isHarmful(key: string, value: object): boolean {
  if (key === '__proto__') return true
  const inner: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
  return key === 'constructor' && typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype')
}
