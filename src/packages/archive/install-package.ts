import { rmdir } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { isLllmError } from '../../domain/errors.ts'
import { packageName } from '../../domain/resource-url.ts'
import { manifestName } from '../find-manifest.ts'
import { judgeFiles } from '../judge-files.ts'
import { readManifest } from '../manifest.ts'
import { archiveFault, reasonOf } from './archive-fault.ts'
import type { ArchiveLimits } from './archive-limits.ts'
import { type Disk, disk as realDisk } from './disk.ts'
import { isReservedName } from './entry-name.ts'
import { type ArchivedPackage, judgePackage } from './judge-package.ts'
import { judgeAliases, judgeNames, judgePlace, namesTaken, placeOf } from './judge-place.ts'
import { listInstalled } from './list-installed.ts'
import { makeFolders } from './make-folders.ts'
import { packageRefused } from './package-refused.ts'
import { placeFolder, readNames, recover, stagingFolder } from './place-folder.ts'
import { withArchive } from './read-archive.ts'
import { unpackPackage } from './unpack-package.ts'

export interface InstallOptions {
  /** Where the packages of the scope are. It is made if it is not there. */
  readonly scopeFolder: string
  /** What the package is called here beside its own name. */
  readonly alias?: string
  /** Takes the place of the installed one of the same name. Default: an installed one is a reason to refuse. */
  readonly replace?: boolean
  /** Names and aliases of packages that the project has elsewhere, and the folder of each. */
  readonly taken?: ReadonlyMap<string, string>
  /** Ends the install, which then leaves nothing behind. */
  readonly signal?: AbortSignal
  readonly limits?: ArchiveLimits
  readonly disk?: Disk
}

export interface InstallReport {
  readonly name: string
  readonly version: string
  readonly alias?: string
  readonly folder: string
  readonly files: number
  readonly bytes: number
  /** The version that was there before. */
  readonly replacedVersion?: string
  /** Packages that came along. */
  readonly bundled: readonly string[]
  /** Packages that it depends on by their names, whether or not they are there. */
  readonly needs: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Installs the package of an archive, which may have been made by anybody: it is judged as a whole, unpacked into a hidden
 * folder beside its place, and put there in one step. On any failure, what was there is there still, and nothing else is.
 * Nothing of the package is run.
 *
 * @throws LllmError `invalid-archive` or `invalid-manifest` for what is wrong with the archive, `package-refused` for what is
 *   in its way here. The reason of the signal.
 */
export async function installPackage(archiveFile: string, options: InstallOptions): Promise<InstallReport> {
  const { alias, scopeFolder, replace = false, signal, disk = realDisk } = options
  judgeAlias(alias)
  signal?.throwIfAborted()
  return withArchive(
    archiveFile,
    async (archive) => {
      const found = await judgePackage(archive)
      const { name, version } = found.manifest
      const removeMade = await makeScope(scopeFolder)
      const staged = stagingFolder(scopeFolder)
      try {
        await recover(scopeFolder, disk)
        const installed = await listInstalled(scopeFolder)
        const target = placeOf(name, scopeFolder, installed, alias)
        const replaced = await judgePlace(target, found, installed, replace)
        judgeNames(found, target, namesTaken(installed, options.taken), alias)
        judgeAliases(found, target, installed)
        await unpackPackage(archive, found, staged, { disk, ...(signal === undefined ? {} : { signal }) })
        const unjudged = await judgeUnpacked(archive.file, found, staged)
        signal?.throwIfAborted()
        const warnings = await placeFolder(staged, target, { replace: replaced !== undefined, disk })
        return {
          name,
          version,
          ...(basename(target) === name ? {} : { alias: basename(target) }),
          folder: target,
          files: found.entries.filter(({ entry }) => entry.kind === 'file').length,
          bytes: found.entries.reduce((sum, { entry }) => sum + entry.bytes, 0),
          ...(replaced === undefined ? {} : { replacedVersion: replaced.version }),
          bundled: found.bundled,
          needs: found.needs,
          warnings: [...unjudged, ...warnings],
        }
      } catch (error) {
        // What cannot be removed now is hidden, and goes with a later install. The reason to fail is the first one.
        await disk.remove(staged).then(removeMade, () => {})
        throw error
      }
    },
    options.limits,
  )
}

function judgeAlias(alias: string | undefined) {
  if (alias === undefined) return
  if (!packageName.test(alias)) throw packageRefused(`The alias "${alias}" does not fit ${packageName.source}.`)
  if (isReservedName(alias)) throw packageRefused(`The alias "${alias}" is reserved: choose another.`)
}

/** Gives a function that removes what was made, as far as nobody has put anything there since. */
async function makeScope(scopeFolder: string): Promise<() => Promise<void>> {
  const first = await makeFolders(scopeFolder).catch((cause: unknown) => {
    throw packageRefused(`${scopeFolder}: The folder could not be made: ${reasonOf(cause)}.`, cause)
  })
  return async () => {
    if (first === undefined) return
    for (let folder = scopeFolder; folder.startsWith(first); folder = dirname(folder)) {
      if ((await readNames(folder)).length > 0) return
      await rmdir(folder)
    }
  }
}

/** Judges all that the next start would read, since a mistake would stop it. Gives what was not judged. */
async function judgeUnpacked(archiveFile: string, { folders }: ArchivedPackage, staged: string) {
  const unjudged: string[] = []
  try {
    for (const folder of folders) {
      unjudged.push(...(await judgeFiles(await readManifest(join(staged, folder, manifestName)))))
    }
  } catch (error) {
    if (!isLllmError(error)) throw error
    throw archiveFault(
      archiveFile,
      `It would stop the next start: ${error.message.replaceAll(staged + sep, '')}`,
      error,
    )
  }
  return unjudged
}
