import { type InstalledPackage, listInstalled } from '../../packages/archive/list-installed.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { writeTable } from '../look/table.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { ListPackagesOptions, Scope } from './pkg-command.ts'
import { findScopes, warn } from './pkg-scopes.ts'

const columns = [
  { title: 'PACKAGE' },
  { title: 'VERSION' },
  { title: 'ALIAS', canGo: true },
  { title: 'SCOPE' },
  { title: 'TACTICS', align: 'right', canGo: true },
  { title: 'FOLDER', canGo: true, canShrink: true },
] as const

export async function listPackages(shell: Shell, { json }: ListPackagesOptions): Promise<ExitCode> {
  const { all } = await findScopes(shell)
  const found = await Promise.all(
    all.map(async ({ scope, folder }) => (await listInstalled(folder)).map((installed) => ({ scope, installed }))),
  )
  const packages = found.flat()
  await warn(
    shell,
    packages.flatMap(({ installed }) => installed.problem ?? []),
  )
  if (json) {
    const data = packages.map(({ scope, installed }) => toPackageRecord(installed, scope))
    await writeJson(shell.stdout, { data })
  } else if (packages.length === 0) {
    await write(shell.stderr, `No packages are installed in ${all.map(({ folder }) => folder).join(' or ')}.\n`)
  } else {
    await writeTable(
      shell.stdout,
      columns,
      packages.map(({ scope, installed: { name, version, alias = '', tacticFiles, problem, folder } }) => {
        return [name, problem === undefined ? version : 'broken', alias, scope, String(tacticFiles), folder]
      }),
    )
  }
  return exitCodes.done
}

export function toPackageRecord(installed: InstalledPackage, scope: Scope) {
  const { name, version, description, alias, folder, tacticFiles, problem } = installed
  return {
    name,
    version,
    description: description ?? null,
    alias: alias ?? null,
    scope,
    folder,
    tactic_files: tacticFiles,
    problem: problem ?? null,
  }
}
