import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LllmError } from '../domain/errors.ts'
import { packageName } from '../domain/resource-url.ts'
import { manifestName } from './find-manifest.ts'
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

/**
 * The packages directly in a folder, in order of the names of their folders. Hidden folders, and what has no manifest, are
 * passed over; a folder that is not there has none. Where an install was killed in the instant between two versions, the
 * old one is still found.
 *
 * @throws LllmError `invalid-manifest` for a manifest with a mistake, and for more packages than anybody has.
 */
export async function findDropIns(folder: string): Promise<readonly DropIn[]> {
  const found: DropIn[] = []
  for (const { name, path } of foldersIn(folder, await namesIn(folder))) {
    const file = join(path, manifestName)
    if (!(await isFile(file))) continue
    if (found.length >= dropInsMax) {
      throw new LllmError('invalid-manifest', `${folder}: There are more than ${dropInsMax} packages here.`)
    }
    const manifest = await readManifest(file)
    found.push({ manifest, ...(name !== manifest.name && packageName.test(name) ? { alias: name } : {}) })
  }
  return found
}

/** The folders by what they are called. One that was put aside counts as long as nothing is in its place. */
function foldersIn(
  folder: string,
  names: readonly string[],
): readonly { readonly name: string; readonly path: string }[] {
  const present = names.filter((name) => !name.startsWith('.') && name !== 'node_modules')
  const aside = names
    .filter((name) => name.startsWith(replacedPrefix))
    .map((name) => ({ name: name.slice(replacedPrefix.length), path: join(folder, name) }))
    .filter(({ name }) => !present.includes(name))
  const found = [...present.map((name) => ({ name, path: join(folder, name) })), ...aside]
  return found.sort((left, right) => (left.name < right.name ? -1 : 1))
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

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
