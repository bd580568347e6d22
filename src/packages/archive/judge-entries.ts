import { archiveFault, entryFault } from './archive-fault.ts'
import { type ArchiveLimits, tooLarge } from './archive-limits.ts'
import { foldPath, showPath } from './entry-name.ts'
import type { ArchiveEntry } from './read-archive.ts'

/** An entry, and where it lies in the archive, with its own header. */
export interface EntryPlace {
  readonly entry: ArchiveEntry
  readonly from: number
  readonly to: number
}

/**
 * Judges entries beside each other: no two may be one file, here or on a system that overlooks case; no two may share bytes
 * of the archive, which is how a small one becomes immense; and all of them together have to fit.
 *
 * @throws LllmError `invalid-archive`
 */
export function judgeEntries(places: readonly EntryPlace[], file: string, limits: ArchiveLimits): void {
  const entries = places.map(({ entry }) => entry)
  judgePaths(entries, file)
  judgeOverlap(places, file)
  const bytes = sum(entries.map((entry) => entry.bytes))
  if (bytes > limits.totalBytesMax) {
    throw archiveFault(file, `Its files have ${bytes} bytes; at most ${limits.totalBytesMax} are unpacked.`)
  }
  for (const entry of entries) {
    const reason = tooLarge(entry.bytes, entry.packedBytes, limits)
    if (reason !== undefined) throw entryFault(file, entry.path, reason)
  }
  const reason = tooLarge(bytes, sum(entries.map((entry) => entry.packedBytes)), limits)
  if (reason !== undefined) throw archiveFault(file, `It is refused: ${reason}.`)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Every path, and the folders it implies, by what they are on a system that overlooks case. */
function judgePaths(entries: readonly ArchiveEntry[], file: string): void {
  const listed = new Set<string>()
  // Most files share their folders, which are judged once.
  const judged = new Set<string>()
  const seen = new Map<string, Pick<ArchiveEntry, 'path' | 'kind'>>()
  for (const { path, kind } of entries) {
    if (listed.has(path)) throw entryFault(file, path, 'it is there twice')
    listed.add(path)
    const unjudged = foldersOf(path).filter((folder) => !judged.has(folder))
    const folders = unjudged.map((folder) => ({ path: folder, kind: 'folder' as const }))
    for (const folder of unjudged) judged.add(folder)
    for (const part of [...folders, { path, kind }]) {
      const folded = foldPath(part.path)
      const other = seen.get(folded) ?? part
      seen.set(folded, other)
      if (other.path !== part.path) {
        throw entryFault(file, path, `on some systems ${showPath(part.path)} and ${showPath(other.path)} are one`)
      }
      if (other.kind !== part.kind) throw entryFault(file, path, `${showPath(part.path)} is a file as well as a folder`)
    }
  }
}

/** The folders that a path is in: `a/b/c` is in `a` and in `a/b`. */
function foldersOf(path: string): readonly string[] {
  const segments = path.split('/').slice(0, -1)
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'))
}

function judgeOverlap(places: readonly EntryPlace[], file: string): void {
  let end = 0
  for (const { entry, from, to } of places.toSorted((left, right) => left.from - right.from)) {
    if (from < end) throw entryFault(file, entry.path, 'its bytes are those of another entry, too')
    end = to
  }
}
