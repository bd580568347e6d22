import { resolve } from 'node:path'
import { LllmError, listKnown } from '../../domain/errors.ts'
import { exportPackage } from '../../packages/archive/export-package.ts'
import { type PackageNode, type PackageTree, resolvePackages } from '../../packages/package-tree.ts'
import { harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { ExportPackageOptions } from './pkg-command.ts'
import { findScopes, interruptible, warn } from './pkg-scopes.ts'

export async function exportNamed(
  shell: Shell,
  name: string,
  out: string,
  { bundleDeps, json }: ExportPackageOptions,
): Promise<ExitCode> {
  const { manifestPath, user } = await findScopes(shell)
  const tree = await resolvePackages({
    folder: shell.folder,
    ...(manifestPath === undefined ? {} : { manifestPath }),
    userFolder: user,
  })
  const node = findPackage(tree, name)
  return interruptible(shell, async (signal) => {
    const report = await exportPackage(node, resolve(shell.folder, out), { bundleDeps: bundleDeps === true, signal })
    const { version } = node.manifest
    const { file, files, bytes, bundled, needs, leftOut } = report
    await warn(
      shell,
      leftOut.map((told) => `left out: ${told}`),
    )
    if (json) {
      await writeJson(shell.stdout, {
        name: node.manifest.name,
        version,
        file,
        files,
        bytes,
        bundled,
        needs,
        left_out: leftOut,
      })
      return exitCodes.done
    }
    const along = bundled.length === 0 ? '' : `, with ${bundled.join(', ')}`
    const told = `Exported ${node.manifest.name} ${version}${along} to ${file}: ${files} files, ${bytes} bytes.`
    await write(shell.stdout, `${harmlessLines(told)}\n`)
    if (needs.length > 0) {
      await write(
        shell.stderr,
        `Where it is installed, it needs ${needs.join(', ')}; --bundle-deps takes them along.\n`,
      )
    }
    return exitCodes.done
  })
}

/** A package by its name, or by what the project calls it. */
function findPackage({ root, nodes }: PackageTree, wanted: string): PackageNode {
  const named = nodes.find(({ manifest }) => manifest.name === wanted)
  const called =
    root.dependencies.find(({ name }) => name === wanted)?.node ?? nodes.find(({ alias }) => alias === wanted)
  const found = named ?? called
  if (found !== undefined) return found
  const known = nodes.map(({ manifest }) => manifest.name)
  throw new LllmError('unknown-package', `There is no package "${wanted}". ${listKnown(wanted, known)}`, { known })
}
