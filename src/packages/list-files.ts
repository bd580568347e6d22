import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { LllmError } from '../domain/errors.ts'
import type { Section } from './section.ts'

/** A section of a package holds at most this many files, and its folders nest at most this deep. */
export const filesMax = 10_000
export const folderDepthMax = 16

export interface ListedFile {
  /** The absolute path. */
  readonly file: string
  /** The path below the section's folder, with `/`, after its prefix: `code_review/pro.yaml`. */
  readonly path: string
  /** The path without the extension. */
  readonly name: string
}

export interface Listing {
  /** In order of their paths. */
  readonly files: readonly ListedFile[]
  readonly warnings: readonly string[]
}

/**
 * Lists the files of a section that are wanted. Hidden files and `node_modules` are passed over, and so is, with a
 * warning, every link that leaves the package.
 *
 * @throws LllmError `invalid-manifest` when a declared path does not exist, or there is too much below it.
 */
export async function listFiles(
  packageFolder: string,
  section: Section,
  isWanted: (fileName: string) => boolean,
): Promise<Listing> {
  const walk: Walk = { root: await realpath(packageFolder), isWanted, files: new Map(), warnings: [] }
  for (const { path, prefix } of section.paths) {
    const start = join(packageFolder, path)
    const kind = await kindOf(start, walk)
    if (kind === 'folder') await walkFolder(start, { folder: start, prefix }, walk, 0)
    else if (kind === 'file') keep(start, { folder: dirname(start), prefix }, walk)
    else if (kind === 'missing' && section.declared) {
      throw new LllmError('invalid-manifest', `${start}: The manifest names this path, but there is nothing.`, {
        file: start,
      })
    }
  }
  const files = [...walk.files.values()].sort((left, right) => (left.file < right.file ? -1 : 1))
  return { files, warnings: walk.warnings }
}

interface Walk {
  /** The folder of the package with all links resolved: what a link may not leave. */
  readonly root: string
  readonly isWanted: (fileName: string) => boolean
  /** By path, for the paths of a section may overlap. */
  readonly files: Map<string, ListedFile>
  readonly warnings: string[]
}

/** Where the names of files begin, and what is put before them. */
interface Start {
  readonly folder: string
  readonly prefix: string
}

async function walkFolder(folder: string, start: Start, walk: Walk, depth: number): Promise<void> {
  if (depth > folderDepthMax) {
    throw new LllmError('invalid-manifest', `${folder}: Folders nest deeper than ${folderDepthMax} levels here.`)
  }
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isPassedOver(name))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const kind = entry.isSymbolicLink() ? await kindOf(path, walk) : directKindOf(entry)
    if (kind === 'folder') await walkFolder(path, start, walk, depth + 1)
    else if (kind === 'file') keep(path, start, walk)
  }
}

function keep(file: string, { folder, prefix }: Start, walk: Walk): void {
  const fileName = file.slice(file.lastIndexOf(sep) + 1)
  if (!walk.isWanted(fileName) || walk.files.has(file)) return
  if (walk.files.size >= filesMax) {
    throw new LllmError('invalid-manifest', `${folder}: There are more than ${filesMax} files here.`)
  }
  const path = prefix + relative(folder, file).split(sep).join('/')
  walk.files.set(file, { file, path, name: path.replace(/\.[^./]*$/, '') })
}

function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules'
}

type Kind = 'file' | 'folder' | 'missing' | 'other'

function directKindOf(entry: Dirent): Kind {
  return entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'other'
}

/** What is at a path once its links are followed. A link out of the package is warned of and followed no further. */
async function kindOf(path: string, { root, warnings }: Walk): Promise<Kind> {
  let target: string
  try {
    target = await realpath(path)
  } catch {
    return 'missing'
  }
  if (target !== root && !target.startsWith(root + sep)) {
    warnings.push(`${path} is a link that leaves the package: it is not followed.`)
    return 'other'
  }
  const status = await stat(target)
  return status.isDirectory() ? 'folder' : status.isFile() ? 'file' : 'other'
}
