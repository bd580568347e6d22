import { DatabaseSync } from 'node:sqlite'
import { LllmError } from '../domain/errors.ts'
import { makePrivateFile } from './private-file.ts'
import { explainSqliteError, isAboutLock } from './sqlite-errors.ts'

/** What makes this process the only one that works on the runs of a database file, as long as it lives. */
export interface FileOwner {
  /** Rejects with an LllmError `store-unavailable` at once when another process is. */
  own(): Promise<void>
  release(): void
}

/**
 * The right is an open transaction on a small file beside the database. The lock is the system's: it is gone with the process, however that
 * ends, and nothing has to be cleaned up.
 */
export function createFileOwner(path: string): FileOwner {
  let lock: DatabaseSync | undefined
  return {
    async own() {
      if (lock !== undefined) return
      let opened: DatabaseSync | undefined
      try {
        makePrivateFile(`${path}-owner`)
        opened = new DatabaseSync(`${path}-owner`, { timeout: 0 })
        opened.exec('begin exclusive')
        lock = opened
      } catch (cause) {
        opened?.close()
        const message = isAboutLock(cause)
          ? `Another process works on the runs of ${path}. Stop it first, or give this one a file of its own by LLLM_DATABASE; several processes can share a PostgreSQL.`
          : `The file ${path}-owner cannot be used: ${explainSqliteError(cause)}`
        throw new LllmError('store-unavailable', message, { file: path }, { cause })
      }
    },
    release() {
      lock?.close()
      lock = undefined
    },
  }
}
