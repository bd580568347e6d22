import { open, stat, truncate } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LllmError } from '../../domain/errors.ts'
import type { Shell } from '../shell.ts'
import type { BatchFlags } from './batch-command.ts'
import { type Earlier, readEarlier, type Wanted } from './batch-resume.ts'

/** Where results go. */
export interface Sink {
  /** Resolves when the line is handed over whole. Rejects when that fails: then a part of it may be there. */
  write(line: string): Promise<void>
  close(): Promise<void>
}

export interface OutFile {
  /** What it holds already; null: it begins anew. */
  readonly earlier: Earlier | null
  /** Makes the file. Before, nothing of it is changed. */
  open(): Promise<Sink>
}

/**
 * Looks at the file for the results before anything is spent.
 *
 * @throws LllmError `invalid-parameter` when results would be lost or mixed with others.
 */
export async function inspectOut(
  { folder }: Shell,
  { out, resume, overwrite }: BatchFlags & { readonly out: string },
  tasksFile: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<OutFile> {
  const path = resolve(folder, out)
  const found = await inspect(path)
  if (found === null) return { earlier: null, open: () => openSink(path, out, 'wx') }
  if (found.isDirectory()) throw misuse(`--out: ${out} is a folder.`)
  const tasks = tasksFile === '-' ? null : await inspect(resolve(folder, tasksFile))
  if (tasks?.dev === found.dev && tasks.ino === found.ino) {
    throw misuse(`--out: ${out} is the file of the tasks, which would be lost.`)
  }
  // A device or a pipe holds nothing that could be lost or gone on with.
  if (!found.isFile() && resume !== true) return { earlier: null, open: () => openSink(path, out, 'a') }
  if (resume === true) {
    if (!found.isFile()) throw misuse(`--resume: ${out} is no file that could be read again.`)
    const earlier = await readEarlier(path, out, wanted, signal)
    return { earlier, open: () => openAgain(path, out, earlier) }
  }
  if (overwrite === true) return { earlier: null, open: () => openSink(path, out, 'w') }
  throw misuse(`--out: ${out} is there already. Say --resume to go on with it, or --overwrite to replace it.`)
}

function misuse(message: string) {
  return new LllmError('invalid-parameter', message)
}

async function inspect(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw unwritable(path, error)
  }
}

async function openAgain(path: string, shown: string, { bytes, lacksNewline }: Earlier): Promise<Sink> {
  await truncate(path, bytes).catch((error: unknown) => {
    throw unwritable(shown, error)
  })
  const sink = await openSink(path, shown, 'a')
  if (lacksNewline) await sink.write('\n')
  return sink
}

async function openSink(path: string, shown: string, mode: 'a' | 'w' | 'wx'): Promise<Sink> {
  const file = await open(path, mode).catch((error: unknown) => {
    throw unwritable(shown, error)
  })
  return {
    async write(line) {
      try {
        await file.writeFile(line)
      } catch (error) {
        throw unwritable(shown, error)
      }
    },
    close: () => file.close(),
  }
}

const writeFailures: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota of the disk is used up'],
  ['ENOENT', 'its folder does not exist'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EEXIST', 'somebody else has made it in the meantime'],
  ['EACCES', 'this process may not write there'],
  ['EPERM', 'this process may not write there'],
  ['EROFS', 'the disk can only be read'],
  ['EISDIR', 'it is a folder'],
])

/** Whether results are lost by it depends on when it comes: it is the caller who knows what has been spent. */
export function unwritable(shown: string, error: unknown): LllmError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown reason'
  const reason = writeFailures.get(code) ?? code
  return new LllmError('invalid-parameter', `--out: ${shown} cannot be written: ${reason}.`, {}, { cause: error })
}
