import { open, realpath, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LllmError } from '../../domain/errors.ts'
import type { Shell } from '../shell.ts'
import { unwritable } from './batch-out.ts'

/** So often a file of a lock may be taken away between the moment that it is found and the one that it is held. */
const attemptsMax = 10

/** Lets go of an output. */
export type Unlock = () => Promise<void>

/**
 * Keeps other processes from writing to the same output: two that go on with one batch would pay for its tasks twice. The lock
 * is one that the system has on an empty file beside the output, by way of SQLite, as Node has no other: it ends with the
 * process, also when that is killed, and a file that is left behind locks nothing.
 *
 * @throws LllmError `invalid-parameter` when somebody has it, or when the folder cannot be written.
 */
export async function lockOut({ folder }: Shell, out: string): Promise<Unlock> {
  const given = resolve(folder, out)
  const path = await realpath(given).catch(() => given)
  const found = await stat(path).catch(() => undefined)
  // A device is shared as those who use it see fit. A folder is refused later, in words of its own.
  if (found !== undefined && !found.isFile()) return async () => {}
  const lockPath = `${path}.lock`
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const inode = await touch(lockPath, out)
    const database = hold(lockPath, out)
    if (inode === (await inodeOf(lockPath))) {
      return async () => {
        // While it is held: what whoever comes next then finds is a file of its own.
        await rm(lockPath, { force: true }).catch(() => undefined)
        database.close()
      }
    }
    database.close()
  }
  throw held(out)
}

async function touch(lockPath: string, shown: string): Promise<bigint> {
  const file = await open(lockPath, 'a').catch((error: unknown) => {
    throw unwritable(shown, error)
  })
  try {
    return (await file.stat({ bigint: true })).ino
  } finally {
    await file.close()
  }
}

async function inodeOf(lockPath: string): Promise<bigint | undefined> {
  return (await stat(lockPath, { bigint: true }).catch(() => undefined))?.ino
}

function hold(lockPath: string, shown: string): DatabaseSync {
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    // Nothing is ever written to it, so that nothing needs a journal.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    throw held(shown, error)
  }
}

function held(shown: string, cause?: unknown): LllmError {
  const message = `--out: ${shown} is being written by another batch. Wait until that has ended, or give another --out.`
  return new LllmError('invalid-parameter', message, {}, { cause })
}
