import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import { reasonOf } from './archive-fault.ts'
import { archiveLimits, depthMax } from './archive-limits.ts'
import { reasonToLeaveOut } from './left-out.ts'
import { packageRefused } from './package-refused.ts'

/** The files of a package as far as they have been found. */
export interface Walk {
  /** The folder of the package, with its links resolved. */
  readonly root: string
  /** By their paths in the package, with `/`: where each is on the disk. */
  readonly files: Map<string, string>
  /** What lies where it was looked for and stays behind, and why. */
  readonly leftOut: Set<string>
  /** The archive that is to be written, which may lie in a section and is no part of it. */
  readonly ownOutput: string
  /** How many folders were read, for links may lead in a circle. */
  folders: number
}

/** Adds a file, or all files of a folder. False: nothing is there. @throws LllmError `package-refused` */
export async function addPath(walk: Walk, path: string, depth = 0): Promise<boolean> {
  const full = join(walk.root, path)
  const target = await realpath(full).catch(() => undefined)
  if (target === undefined) return false
  if (full === walk.ownOutput || walk.files.has(path)) return true
  const inside = pathBelow(walk.root, target)
  const reason =
    reasonToLeaveOut(path) ??
    (inside === undefined ? 'a link that leaves the package is never followed' : reasonToLeaveOut(inside))
  if (reason !== undefined) {
    walk.leftOut.add(`${path}: ${reason}`)
    return true
  }
  const status = await stat(target)
  if (status.isDirectory()) await addFolder(walk, path, depth)
  else if (status.isFile()) addFile(walk, path, target, status.size)
  else walk.leftOut.add(`${path}: it is neither a file nor a folder`)
  return true
}

/** The path of something below a folder, with `/`; empty for the folder itself, undefined for what is not in it. */
export function pathBelow(folder: string, path: string): string | undefined {
  if (path === folder) return ''
  return path.startsWith(folder + sep) ? relative(folder, path).split(sep).join('/') : undefined
}

export async function readFolder(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    throw packageRefused(`${folder}: It cannot be read: ${reasonOf(error)}.`, error)
  }
}

async function addFolder(walk: Walk, path: string, depth: number) {
  if (depth >= depthMax) throw packageRefused(`${join(walk.root, path)}: Folders nest deeper than ${depthMax} here.`)
  walk.folders++
  if (walk.folders > archiveLimits.entriesMax) throw packageRefused(`${walk.root}: There are too many folders.`)
  for (const { name } of await readFolder(join(walk.root, path))) {
    await addPath(walk, posix.join(path, name), depth + 1)
  }
}

function addFile(walk: Walk, path: string, file: string, bytes: number) {
  const { entriesMax, fileBytesMax } = archiveLimits
  if (bytes > fileBytesMax) {
    throw packageRefused(`${file}: It has ${bytes} bytes; a file of a package has at most ${fileBytesMax}.`)
  }
  if (walk.files.size >= entriesMax) throw packageRefused(`${walk.root}: There are more than ${entriesMax} files.`)
  walk.files.set(path, file)
}
