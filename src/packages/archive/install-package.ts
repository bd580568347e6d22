import { mkdir, rmdir } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { packageName } from '../../domain/resource-url.ts'
import { reasonOf } from './archive-fault.ts'
import type { ArchiveLimits } from './archive-limits.ts'
import { type Disk, disk as realDisk } from './disk.ts'
import { isReservedName } from './entry-name.ts'
import { type ArchivedPackage, judgePackage } from './judge-package.ts'
import { type InstalledPackage, isRealFolder, listInstalled } from './list-installed.ts'
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
      const target = join(scopeFolder, alias ?? name)
      const removeMade = await makeScope(scopeFolder)
      const staged = stagingFolder(scopeFolder)
      try {
        await recover(scopeFolder, disk)
        const installed = await listInstalled(scopeFolder)
        const replaced = await judgePlace(target, found, installed, replace)
        judgeNames(found, target, namesTaken(installed, options.taken), alias)
        await unpackPackage(archive, found, staged, { disk, ...(signal === undefined ? {} : { signal }) })
        signal?.throwIfAborted()
        const warnings = await placeFolder(staged, target, { replace: replaced !== undefined, disk })
        return {
          name,
          version,
          ...(alias === undefined || alias === name ? {} : { alias }),
          folder: target,
          files: found.entries.filter(({ entry }) => entry.kind === 'file').length,
          bytes: found.entries.reduce((sum, { entry }) => sum + entry.bytes, 0),
          ...(replaced === undefined ? {} : { replacedVersion: replaced.version }),
          bundled: found.bundled,
          needs: found.needs,
          warnings,
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
  const first = await mkdir(scopeFolder, { recursive: true }).catch((cause: unknown) => {
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

/** What is to be replaced. Undefined: the place is free. */
async function judgePlace(
  target: string,
  { manifest }: ArchivedPackage,
  installed: readonly InstalledPackage[],
  replace: boolean,
): Promise<InstalledPackage | undefined> {
  const there = installed.find(({ folder }) => folder === target)
  if (there === undefined) {
    const isFree = !(await readNames(dirname(target))).includes(target.slice(dirname(target).length + 1))
    if (isFree) return undefined
    throw packageRefused(`${target}: There is something which is no package: remove it, or choose another alias.`)
  }
  if (!(await isRealFolder(target))) throw packageRefused(`${target}: It is a link, which is not replaced: remove it.`)
  if (there.name !== manifest.name && there.problem === undefined) {
    throw packageRefused(
      `${target}: The package "${there.name}" is there, not "${manifest.name}": choose another alias.`,
    )
  }
  if (replace) return there
  throw packageRefused(
    `The package "${manifest.name}" is installed already, in version ${there.version || 'unknown'} (${there.folder}). With --replace, version ${manifest.version} takes its place.`,
  )
}

function namesTaken(
  installed: readonly InstalledPackage[],
  elsewhere: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const names = new Map(elsewhere)
  for (const { name, alias, folder } of installed) for (const one of [name, alias]) if (one) names.set(one, folder)
  return names
}

/** Two packages of one name would stop the service at its next start. */
function judgeNames(
  { manifest, bundled }: ArchivedPackage,
  target: string,
  taken: ReadonlyMap<string, string>,
  alias: string | undefined,
) {
  const others = new Map([...taken].filter(([, folder]) => folder !== target && !folder.startsWith(target + sep)))
  const own = others.get(manifest.name)
  if (own !== undefined) {
    throw packageRefused(`There is a package "${manifest.name}" already, in ${own}: remove that one first.`)
  }
  const other = alias === undefined ? undefined : others.get(alias)
  if (other !== undefined) {
    throw packageRefused(`The alias "${alias}" is what the package in ${other} is called: choose another.`)
  }
  const double = bundled.find((name) => others.has(name))
  if (double === undefined) return
  throw packageRefused(
    `The archive brings a package "${double}" along, but there is one in ${others.get(double)} already: remove that one, or export the archive without --bundle-deps.`,
  )
}
