import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Gives paths of database files that do not exist yet, in a folder that is removed after the tests of the file. */
export function databaseFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'lllm-stores-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let files = 0
  return { folder, newPath: () => join(folder, `${++files}`, 'sessions.db') }
}
