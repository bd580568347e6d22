import { dirname, join, posix } from 'node:path'
import { isLllmError } from '../../domain/errors.ts'
import { reasonOf } from './archive-fault.ts'
import type { Disk } from './disk.ts'
import type { ArchivedPackage } from './judge-package.ts'
import { packageRefused } from './package-refused.ts'
import type { Archive } from './read-archive.ts'
import { unpackFile } from './unpack-file.ts'

/**
 * Unpacks a package that was judged into a new folder, one file after another. Since the folder is new and all paths were
 * judged, none of them can lead through a link.
 *
 * @throws LllmError `invalid-archive` for a file that is damaged, `package-refused` when the disk does not take it. What was
 *   written until then is left.
 */
export async function unpackPackage(
  archive: Archive,
  { entries }: ArchivedPackage,
  folder: string,
  { disk, signal }: { readonly disk: Disk; readonly signal?: AbortSignal },
): Promise<void> {
  const made = new Set<string>()
  const makeFolders = async (path: string) => {
    if (made.has(path)) return
    made.add(path)
    if (path !== '.') await makeFolders(posix.dirname(path))
    await disk.makeFolder(join(folder, path))
  }
  try {
    await makeFolders('.')
    for (const { path, entry } of entries) {
      signal?.throwIfAborted()
      await makeFolders(entry.kind === 'folder' ? path : posix.dirname(path))
      if (entry.kind === 'file') await unpackFile(archive, entry, disk.createFile(join(folder, path)), signal)
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (isLllmError(error)) throw error
    throw packageRefused(`${dirname(folder)}: The package could not be written: ${reasonOf(error)}.`, error)
  }
}
