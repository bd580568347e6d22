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

/**
 * The packages directly in a folder, in order of the names of their folders. Hidden folders, and what has no manifest, are
 * passed over; a folder that is not there has none.
 *
 * @throws LllmError `invalid-manifest` for a manifest with a mistake, and for more packages than anybody has.
 */
export async function findDropIns(folder: string): Promise<readonly DropIn[]> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith('.') && name !== 'node_modules').sort()
  const found: DropIn[] = []
  for (const name of names) {
    const file = join(folder, name, manifestName)
    if (!(await isFile(file))) continue
    if (found.length >= dropInsMax) {
      throw new LllmError('invalid-manifest', `${folder}: There are more than ${dropInsMax} packages here.`)
    }
    const manifest = await readManifest(file)
    found.push({ manifest, ...(name !== manifest.name && packageName.test(name) ? { alias: name } : {}) })
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

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
