import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LllmError } from '../domain/errors.ts'
import { databasePath, isPostgres } from './open-session-store.ts'
import { explainSqliteError } from './sqlite-errors.ts'
import { readSqliteSteps } from './sqlite-schema.ts'

/** A backup holds all that was ever asked and answered: it is for whoever made it. */
const backupMode = 0o600
/** How long a lock is waited for. A reader waits only where the last process is about to put the WAL away. */
const busyTimeoutMs = 5_000

export interface Backup {
  /** The absolute path of the file that was written. */
  readonly file: string
  readonly bytes: number
}

/**
 * Writes all of a SQLite database, as it is at this moment, into a new file that is a database of its own. Other processes may go on
 * writing: the file has everything that was committed before, and nothing that comes after. It is there whole or not at all.
 *
 * @param database the setting; @param file the absolute path of the backup.
 * @throws LllmError `invalid-settings` when the database is not a file, `invalid-parameter` when the backup is there already, and
 *   `store-unavailable` when the database cannot be read or the backup cannot be written.
 */
export function backUpDatabase(database: string, file: string): Backup {
  const source = fileOf(database)
  if (!existsSync(source)) {
    throw new LllmError(
      'store-unavailable',
      `There is no database ${source}. Name the one to back up by LLLM_DATABASE.`,
    )
  }
  if (existsSync(file)) throw isThereAlready(file)
  const partial = `${file}.${process.pid}.partial`
  try {
    copyInto(source, partial)
    linkSync(partial, file)
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST') throw isThereAlready(file)
    const message = `The backup of ${source} to ${file} failed: ${explain(cause)}`
    throw new LllmError('store-unavailable', message, { file: source }, { cause })
  } finally {
    rmSync(partial, { force: true })
  }
  return { file, bytes: statSync(file).size }
}

function fileOf(database: string): string {
  if (isPostgres(database)) {
    throw new LllmError(
      'invalid-settings',
      'LLLM_DATABASE is a PostgreSQL, which its own tools back up: pg_dump --format=custom --file=FILE --dbname="$LLLM_DATABASE"',
    )
  }
  if (database !== ':memory:') return resolve(databasePath(database))
  throw new LllmError('invalid-settings', 'LLLM_DATABASE is :memory:, of which nothing can be kept.')
}

/** One read transaction: in a WAL, it sees one moment, and holds up nobody who writes. */
function copyInto(source: string, partial: string) {
  // SQLite fills a file that is empty, and leaves its rights as they are.
  closeSync(openSync(partial, 'w', backupMode))
  const opened = new DatabaseSync(source, { readOnly: true, timeout: busyTimeoutMs })
  try {
    readSqliteSteps(opened)
    opened.prepare('vacuum into ?').run(partial)
  } finally {
    opened.close()
  }
  const written = openSync(partial, 'r+')
  try {
    fsyncSync(written)
  } finally {
    closeSync(written)
  }
}

function explain(cause: unknown): string {
  const code = systemCodeOf(cause)
  if (code === undefined) return explainSqliteError(cause)
  return code === 'ENOENT' ? 'Its folder is not there. Make it first.' : `The system refuses to write it (${code}).`
}

/** The code of the system, where it refused something. SQLite's own errors have none. */
function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined
}

function isThereAlready(file: string): LllmError {
  return new LllmError(
    'invalid-parameter',
    `${file} is there already, and a backup overwrites nothing. Name another file.`,
  )
}
