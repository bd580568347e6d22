import { basename } from 'node:path'
import { LllmError, listKnown } from '../../domain/errors.ts'
import { reasonOf } from './archive-fault.ts'
import { type Disk, disk as realDisk } from './disk.ts'
import { type InstalledPackage, isRealFolder, listInstalled } from './list-installed.ts'
import { packageRefused } from './package-refused.ts'
import { discard, recover } from './place-folder.ts'

/**
 * Removes an installed package, by its name or by what its folder is called. A link is never followed, and never removed.
 *
 * @returns What was removed.
 * @throws LllmError `unknown-package`, or `package-refused` for what is in the way.
 */
export async function removePackage(
  wanted: string,
  scopeFolder: string,
  disk: Disk = realDisk,
): Promise<InstalledPackage> {
  // Before anything is looked for: what a killed install has left aside goes back to where it is then found.
  await recover(scopeFolder, disk)
  const found = await findInstalled(wanted, scopeFolder)
  if (!(await isRealFolder(found.folder))) {
    throw packageRefused(`${found.folder}: It is a link to a package that is elsewhere: remove the link yourself.`)
  }
  try {
    await discard(found.folder, disk)
  } catch (error) {
    throw packageRefused(`${found.folder}: It could not be removed: ${reasonOf(error)}.`, error)
  }
  return found
}

/** @throws LllmError `unknown-package`, or `package-refused` where more than one is called so. */
export async function findInstalled(wanted: string, scopeFolder: string): Promise<InstalledPackage> {
  const installed = await listInstalled(scopeFolder)
  const fitting = installed.filter(({ name, alias, folder }) => [name, alias, basename(folder)].includes(wanted))
  const [found, second] = fitting
  if (found === undefined) {
    const names = installed.flatMap(({ name, alias }) => [name, ...(alias === undefined ? [] : [alias])])
    const message = `No package "${wanted}" is installed in ${scopeFolder}. ${listKnown(wanted, names)}`
    throw new LllmError('unknown-package', message, { known: names })
  }
  if (second === undefined) return found
  throw packageRefused(
    `"${wanted}" is what more than one package is called: ${fitting.map(({ folder }) => folder).join(', ')}.`,
  )
}
