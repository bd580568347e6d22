import { type FileHandle, open, stat } from 'node:fs/promises'
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl'
import { archiveFault, entryFault, reasonOf } from './archive-fault.ts'
import { type ArchiveLimits, archiveLimits, entryExtrasBytesMax } from './archive-limits.ts'
import { findPathFault } from './entry-name.ts'
import { type EntryPlace, judgeEntries } from './judge-entries.ts'

/** A file or a folder in an archive, judged: its path may become one of ours. */
export interface ArchiveEntry {
  /** With `/`, and none at its end. */
  readonly path: string
  readonly kind: 'file' | 'folder'
  readonly bytes: number
  readonly packedBytes: number
  readonly crc32: number
  readonly isDeflated: boolean
  /** Where its packed bytes begin. */
  readonly start: number
}

export interface Archive {
  readonly file: string
  readonly limits: ArchiveLimits
  /** Files and folders in the order of the archive, without what macOS puts beside them. */
  readonly entries: readonly ArchiveEntry[]
  readonly handle: FileHandle
}

/** Extended attributes that macOS adds when a folder is compressed there. They are no part of any package. */
const macFolder = '__MACOSX'

/**
 * Opens an archive, judges all of its entries by their metadata, and hands it to `use`; it is closed afterwards. Nothing is
 * unpacked: its files may still turn out not to hold what is said of them.
 *
 * Of everything that a zip file says twice, only one is ever believed, and it has to fit the other.
 *
 * @throws LllmError `invalid-archive`, which names the entry.
 */
export async function withArchive<Result>(
  file: string,
  use: (archive: Archive) => Promise<Result>,
  limits: ArchiveLimits = archiveLimits,
): Promise<Result> {
  await judgeFile(file, limits)
  const handle = await open(file, 'r')
  try {
    const entries = await readEntries(handle, file, limits)
    return await use({ file, limits, entries: entries.filter(isOurs), handle })
  } finally {
    await handle.close()
  }
}

function isOurs({ path }: ArchiveEntry): boolean {
  return path !== macFolder && !path.startsWith(`${macFolder}/`) && !/(?:^|\/)\.DS_Store$/.test(path)
}

/** Judged before it is opened, for to open a pipe is to wait for its other end. */
async function judgeFile(file: string, { archiveBytesMax }: ArchiveLimits): Promise<void> {
  const status = await stat(file).catch((cause: unknown) => {
    throw archiveFault(file, `It cannot be read: ${reasonOf(cause)}.`, cause)
  })
  if (!status.isFile()) throw archiveFault(file, 'It is no file.')
  if (status.size > archiveBytesMax) {
    throw archiveFault(file, `It has ${status.size} bytes; an archive has at most ${archiveBytesMax}.`)
  }
}

async function readEntries(handle: FileHandle, file: string, limits: ArchiveLimits): Promise<readonly ArchiveEntry[]> {
  const zip = await openZip(handle, file)
  if (zip.entryCount > limits.entriesMax) {
    throw archiveFault(file, `It has ${zip.entryCount} entries; at most ${limits.entriesMax} are unpacked.`)
  }
  const places: EntryPlace[] = []
  const walk = zip.eachEntry()
  while (true) {
    const next = await walk.next().catch((cause: unknown) => {
      const last = places.at(-1)
      const place = last === undefined ? 'its first entry' : `the entry after "${last.entry.path}"`
      throw archiveFault(file, `It is damaged: ${place} cannot be read (${reasonOf(cause)}).`, cause)
    })
    if (next.done === true) break
    places.push(await readPlace(zip, next.value, file, limits))
  }
  judgeEnd(zip, file)
  judgeEntries(places, file, limits)
  return places.map(({ entry }) => entry)
}

/** Names are judged here and not by yauzl: it would make up for some faults, and its messages name no archive. */
async function openZip(handle: FileHandle, file: string): Promise<ZipFile> {
  try {
    return await fromFdPromise(handle.fd, { autoClose: false, decodeStrings: false })
  } catch (cause) {
    throw archiveFault(file, `It is not a whole zip file: ${reasonOf(cause)}.`, cause)
  }
}

/** Behind the last entry that is counted comes the end, and nothing else: no more entries, no zip64, no signature. */
function judgeEnd(zip: ZipFile, file: string): void {
  const endRecordBytes = 22
  const endsAt = zip.fileSize - endRecordBytes - zip.comment.length
  if (Number(zip.readEntryCursor) === endsAt) return
  throw archiveFault(file, 'There is something between its last entry and its end: zip64, or entries that it hides.')
}

async function readPlace(zip: ZipFile, raw: Entry, file: string, limits: ArchiveLimits): Promise<EntryPlace> {
  const name = decodeName(raw.fileNameRaw)
  if (name === undefined) throw entryFault(file, raw.fileNameRaw.toString('latin1'), 'its name is not UTF-8')
  const fault = findEntryFault(raw, name, limits)
  if (fault !== undefined) throw entryFault(file, name, fault)
  const header = await zip.readLocalFileHeaderPromise(raw).catch((cause: unknown) => {
    throw entryFault(file, name, `the archive is damaged or cut off (${reasonOf(cause)})`, cause)
  })
  if (!header.fileName.equals(raw.fileNameRaw)) throw entryFault(file, name, 'its own header gives it another name')
  const start = header.fileDataStart
  return {
    from: raw.relativeOffsetOfLocalHeader,
    to: start + raw.compressedSize,
    entry: {
      path: name.replace(/\/$/, ''),
      kind: name.endsWith('/') ? 'folder' : 'file',
      bytes: raw.uncompressedSize,
      packedBytes: raw.compressedSize,
      crc32: raw.crc32,
      isDeflated: raw.compressionMethod === 8,
      start,
    },
  }
}

/** UTF-8, whether or not the entry says so: what is plain ASCII is the same in each code, and of others none is certain. */
function decodeName(raw: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    return undefined
  }
}

function findEntryFault(raw: Entry, name: string, limits: ArchiveLimits): string | undefined {
  const isFolder = name.endsWith('/')
  if (raw.extraFieldLength + raw.fileCommentLength > entryExtrasBytesMax) return 'it has too long a comment'
  const pathFault = findPathFault(isFolder ? name.slice(0, -1) : name)
  if (pathFault !== undefined) return pathFault
  const kindFault = findKindFault(raw.externalFileAttributes >>> 16, isFolder)
  if (kindFault !== undefined) return kindFault
  if (raw.isEncrypted()) return 'it is encrypted'
  if (raw.compressionMethod !== 0 && raw.compressionMethod !== 8) {
    return `its compression method is ${raw.compressionMethod}; stored (0) and deflated (8) ones are unpacked`
  }
  if (isFolder && raw.uncompressedSize > 0) return 'it is a folder, but has content'
  if (raw.uncompressedSize > limits.fileBytesMax) {
    return `it has ${raw.uncompressedSize} bytes; a file has at most ${limits.fileBytesMax}`
  }
  return undefined
}

/** The kind of a file as Unix has it in the upper bits of its mode. Archives of other systems have none there. */
function findKindFault(mode: number, isFolder: boolean): string | undefined {
  const kind = mode & 0o170000
  if (kind === 0o120000) return 'it is a link'
  if (kind === 0 || kind === (isFolder ? 0o040000 : 0o100000)) return undefined
  return kind === 0o040000 || kind === 0o100000
    ? 'it is a folder by its name or by its mode, but not by both'
    : 'it is a device, a pipe or a socket'
}
