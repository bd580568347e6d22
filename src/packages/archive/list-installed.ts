import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { isLllmError } from '../../domain/errors.ts'
import { aliasOf, type DropInFolder, findFolders } from '../drop-ins.ts'
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
  const folders = await findFolders(scopeFolder, await readNames(scopeFolder))
  const found: InstalledPackage[] = []
  for (const folder of folders) found.push(await describe(folder))
  return found
}

/** Whether a path is that of a folder itself, and not of a link to one. */
export async function isRealFolder(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined)
  return status?.isDirectory() === true
}

async function describe({ called, folder }: DropInFolder): Promise<InstalledPackage> {
  try {
    const { name, version, description, tactics } = await readManifest(join(folder, manifestName))
    const { files } = await listFiles(folder, tactics, isAuthorsModule)
    return {
      folder,
      name,
      version,
      ...(description === undefined ? {} : { description }),
      ...aliasOf(called, name),
      tacticFiles: files.length,
    }
  } catch (error) {
    if (!isLllmError(error)) throw error
    return { folder, name: called, version: '', tacticFiles: 0, problem: error.message }
  }
}
