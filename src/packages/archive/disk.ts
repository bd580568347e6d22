import { createWriteStream, renameSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'

/** What an install changes on the disk. Files get the modes of any new file here, whatever the archive says. */
export interface Disk {
  makeFolder(path: string): Promise<void>
  /** A file that was not there before. */
  createFile(path: string): Writable
  /** At once, so that nothing of this process comes between two of them. A folder takes the place of no other one. */
  rename(from: string, to: string): void
  /** Removes a folder with everything in it. Links are removed, never followed. */
  remove(path: string): Promise<void>
}

export const disk: Disk = {
  makeFolder: async (path) => void (await mkdir(path, { mode: 0o755 })),
  createFile: (path) => createWriteStream(path, { flags: 'wx', mode: 0o644 }),
  rename: renameSync,
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 2 }),
}
