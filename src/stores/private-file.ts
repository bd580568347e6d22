import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes an empty file for its owner alone (mode 0600), and its folders (0700), before SQLite does so for everybody: the files that it puts
 * beside a database have the rights of that. What is there already stays as it is.
 *
 * @throws what the system says of folders that cannot be made. What is wrong with a file, SQLite says when it opens it.
 */
export function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there, or cannot be made.
  }
}
