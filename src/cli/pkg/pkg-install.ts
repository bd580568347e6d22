import { resolve, sep } from 'node:path'
import { isLllmError } from '../../domain/errors.ts'
import { type InstallReport, installPackage } from '../../packages/archive/install-package.ts'
import { resolvePackages } from '../../packages/package-tree.ts'
import { harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { InstallPackageOptions, Scope } from './pkg-command.ts'
import { findScopes, interruptible, type Scopes, warn } from './pkg-scopes.ts'

export async function installArchive(
  shell: Shell,
  zip: string,
  { alias, scope, replace, json }: InstallPackageOptions,
): Promise<ExitCode> {
  const scopes = await findScopes(shell)
  const scopeFolder = scopes.folderOf(scope)
  const names = await namesOf(scopes, shell.folder)
  return interruptible(shell, async (signal) => {
    const report = await installPackage(resolve(shell.folder, zip), {
      scopeFolder,
      ...(alias === undefined ? {} : { alias }),
      replace: replace === true,
      taken: takenIn(scope, names, scopes.user),
      signal,
    })
    const hidden = scope === 'user' ? names.get(report.name) : undefined
    const missing = report.needs.filter((name) => name !== report.name && !names.has(name))
    await warn(shell, [
      ...report.warnings,
      ...(hidden === undefined || isIn(scopes.user, hidden)
        ? []
        : [`This project has a package "${report.name}" of its own, in ${hidden}, which goes first here.`]),
      ...missing.map(
        (name) => `It needs the package "${name}", which is not installed: nothing is served until it is.`,
      ),
    ])
    if (json) await writeJson(shell.stdout, toRecord(report, scope, missing))
    else await write(shell.stdout, `${harmlessLines(tell(report))}\n`)
    return exitCodes.done
  })
}

/** What packages are called, and the folder of each. With a mistake in a manifest, only what its scope has is known. */
async function namesOf({ manifestPath, user }: Scopes, folder: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  try {
    const { root, nodes } = await resolvePackages({
      folder,
      ...(manifestPath === undefined ? {} : { manifestPath }),
      userFolder: user,
    })
    for (const { name, node } of root.dependencies) names.set(name, node.manifest.folder)
    for (const { manifest, alias } of nodes) {
      if (alias !== undefined) names.set(alias, manifest.folder)
      names.set(manifest.name, manifest.folder)
    }
  } catch (error) {
    // A package that is missing is a mistake, too, and this may be the one that is to be installed now.
    if (!isLllmError(error)) throw error
  }
  return names
}

/** The user's packages and the project's are not in each other's way: the project's go first. */
function takenIn(scope: Scope, names: ReadonlyMap<string, string>, user: string): ReadonlyMap<string, string> {
  return new Map([...names].filter(([, folder]) => isIn(user, folder) === (scope === 'user')))
}

function isIn(user: string, folder: string): boolean {
  return folder.startsWith(user + sep)
}

function tell({ name, version, alias, folder, files, bytes, replacedVersion, bundled }: InstallReport): string {
  const called = alias === undefined ? '' : ` as ${alias}`
  const along = bundled.length === 0 ? '' : `, with ${bundled.join(', ')}`
  const before = replacedVersion === undefined ? '' : ` in place of ${replacedVersion || 'the one that was there'}`
  return `Installed ${name} ${version}${called}${along}${before} in ${folder}: ${files} files, ${bytes} bytes.`
}

function toRecord(report: InstallReport, scope: Scope, missing: readonly string[]) {
  const { name, version, alias, folder, files, bytes, replacedVersion, bundled, needs } = report
  return {
    name,
    version,
    alias: alias ?? null,
    scope,
    folder,
    files,
    bytes,
    replaced_version: replacedVersion ?? null,
    bundled,
    needs,
    missing,
  }
}
