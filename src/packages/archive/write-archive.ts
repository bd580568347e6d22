import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'

/** A file of an archive: its path there, and its text, or the file that it is a copy of. */
export type ArchiveItem = { readonly path: string } & ({ readonly text: string } | { readonly file: string })

/** The same for every file, so that the same package makes the same archive, whenever and wherever it is exported. */
const fileMode = 0o100644
/** In local time, which is what the format has: the earliest that it knows. */
const modified = new Date(1980, 0, 1)

/**
 * Writes an archive to a file that was not there before, in order of the paths. The same content gives the same bytes, as
 * long as zlib is the same.
 */
export async function writeArchive(target: string, items: readonly ArchiveItem[], signal?: AbortSignal): Promise<void> {
  const zip = new ZipFile()
  const output = zip.outputStream as unknown as Readable
  zip.on('error', (error: Error) => output.destroy(error))
  let open: ReadStream | undefined
  const attributes = { mtime: modified, mode: fileMode, forceDosTimestamp: true }
  for (const item of items.toSorted((left, right) => (left.path < right.path ? -1 : 1))) {
    if ('text' in item) zip.addBuffer(Buffer.from(item.text), item.path, attributes)
    else {
      zip.addReadStreamLazy(item.path, attributes, (give) => {
        open = createReadStream(item.file)
        // yazl asks for one at a time, and does not look for their errors.
        open.on('error', (error) => output.destroy(error))
        give(null, open)
      })
    }
  }
  zip.end()
  try {
    const file = createWriteStream(target, { flags: 'wx', flush: true })
    await pipeline(output, file, signal === undefined ? {} : { signal })
  } finally {
    open?.destroy()
  }
}
