import { basename, dirname, join, sep } from 'node:path'
import type { ArchivedPackage } from './judge-package.ts'
import { type InstalledPackage, isRealFolder } from './list-installed.ts'
import { packageRefused } from './package-refused.ts'
import { readNames } from './place-folder.ts'

/** Where the package goes: to the name that is wanted for it, else to where it is, else to its own. */
export function placeOf(
  name: string,
  scopeFolder: string,
  installed: readonly InstalledPackage[],
  alias: string | undefined,
): string {
  const there =
    alias === undefined ? installed.find((one) => one.name === name && one.problem === undefined) : undefined
  return there?.folder ?? join(scopeFolder, alias ?? name)
}

/** What is to be replaced. Undefined: the place is free. */
export async function judgePlace(
  target: string,
  { manifest }: ArchivedPackage,
  installed: readonly InstalledPackage[],
  replace: boolean,
): Promise<InstalledPackage | undefined> {
  const there = installed.find(({ folder }) => folder === target)
  if (there === undefined) {
    const isFree = !(await readNames(dirname(target))).includes(basename(target))
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

export function namesTaken(
  installed: readonly InstalledPackage[],
  elsewhere: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const names = new Map(elsewhere)
  for (const { name, alias, folder } of installed) for (const one of [name, alias]) if (one) names.set(one, folder)
  return names
}

/** So would an alias that is the name of another package. */
export function judgeAliases({ aliases }: ArchivedPackage, target: string, installed: readonly InstalledPackage[]) {
  for (const [alias, meant] of aliases) {
    const other = installed.find(({ name, folder }) => name === alias && name !== meant && folder !== target)
    if (other === undefined) continue
    throw packageRefused(
      `The archive calls "${meant}" by the alias "${alias}", which is the name of the package in ${other.folder}.`,
    )
  }
}

/** Two packages of one name would stop the service at its next start. */
export function judgeNames(
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
