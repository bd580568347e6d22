import { lstat, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isLllmError } from '../../domain/errors.ts'
import { manifestName } from '../find-manifest.ts'
import { isAuthorsModule } from '../import-module.ts'
import { listFiles } from '../list-files.ts'
import { readManifest } from '../manifest.ts'
import { readNames } from './place-folder.ts'

/** A package in the folder of a scope. Nothing of it was run to know this. */
export interface InstalledPackage {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly description?: string
  /** What its folder is called, where that is not its name. */
  readonly alias?: string
  /** How many files its tactics are in. */
  readonly tacticFiles: number
  /** Why it cannot be served. Its name is then that of its folder, and its version is empty. */
  readonly problem?: string
}

/** What is installed in a scope, in order of the folders' names. A folder that is not there has nothing. */
export async function listInstalled(scopeFolder: string): Promise<readonly InstalledPackage[]> {
  const names = (await readNames(scopeFolder)).filter((name) => !name.startsWith('.') && name !== 'node_modules')
  const found: InstalledPackage[] = []
  for (const name of names) {
    const folder = join(scopeFolder, name)
    if (await isThere(join(folder, manifestName))) found.push(await describe(folder))
  }
  return found
}

/** Whether a path is that of a folder itself, and not of a link to one. */
export async function isRealFolder(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined)
  return status?.isDirectory() === true
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}

async function describe(folder: string): Promise<InstalledPackage> {
  const called = basename(folder)
  try {
    const { name, version, description, tactics } = await readManifest(join(folder, manifestName))
    const { files } = await listFiles(folder, tactics, isAuthorsModule)
    return {
      folder,
      name,
      version,
      ...(description === undefined ? {} : { description }),
      ...(called === name ? {} : { alias: called }),
      tacticFiles: files.length,
    }
  } catch (error) {
    if (!isLllmError(error)) throw error
    return { folder, name: called, version: '', tacticFiles: 0, problem: error.message }
  }
}
