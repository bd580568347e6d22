import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LllmError } from '../domain/errors.ts'
import { packageName } from '../domain/resource-url.ts'
import { isFile, manifestName } from './find-manifest.ts'
import { type Manifest, readManifest } from './manifest.ts'

/** A package that is found because it lies in a certain folder. */
export interface DropIn {
  readonly manifest: Manifest
  /** What its folder is called, where that is not the name of the package, and could be one. */
  readonly alias?: string
}

const dropInsMax = 256

/** Of the folder of an old version while a new one is put in its place. */
export const replacedPrefix = '.replaced-'

/** A folder that holds a package, and what it is called, which is not always the end of its path. */
export interface DropInFolder {
  readonly called: string
  readonly folder: string
}

/**
 * The packages directly in a folder, in order of the names of their folders. A folder that is not there has none.
 *
 * @throws LllmError `invalid-manifest` for a manifest with a mistake, and for more packages than anybody has.
 */
export async function findDropIns(scopeFolder: string): Promise<readonly DropIn[]> {
  const found: DropIn[] = []
  for (const { called, folder } of await findFolders(scopeFolder, await namesIn(scopeFolder))) {
    if (found.length >= dropInsMax) {
      throw new LllmError('invalid-manifest', `${scopeFolder}: There are more than ${dropInsMax} packages here.`)
    }
    const manifest = await readManifest(join(folder, manifestName))
    found.push({ manifest, ...aliasOf(called, manifest.name) })
  }
  return found
}

/** What the name of a package's folder adds: another name for it, where it is one. */
export function aliasOf(called: string, name: string): { readonly alias?: string } {
  return called !== name && packageName.test(called) ? { alias: called } : {}
}

/**
 * Those of the folders with these names that hold a package, in order of what they are called. Hidden ones, and those
 * without a manifest, are passed over. Where an install was killed in the instant between two versions, the old one is found.
 */
export async function findFolders(scopeFolder: string, names: readonly string[]): Promise<readonly DropInFolder[]> {
  const present = names.filter((name) => !name.startsWith('.') && name !== 'node_modules')
  const aside = names.filter((name) => name.startsWith(replacedPrefix)).map((name) => name.slice(replacedPrefix.length))
  const found: DropInFolder[] = []
  for (const called of [...new Set([...present, ...aside])].sort()) {
    const place = join(scopeFolder, called)
    // An upgrade moves the old version aside and the new one into its place, perhaps just now: one of these is there.
    const candidates = [place, join(scopeFolder, replacedPrefix + called), place]
    for (const folder of candidates) {
      if (!(await isFile(join(folder, manifestName)))) continue
      found.push({ called, folder })
      break
    }
  }
  return found
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new LllmError('invalid-manifest', `${folder}: The folder of packages cannot be read (${code}).`, {
      file: folder,
    })
  }
}
