import { readFile, realpath } from 'node:fs/promises'
import { join, posix, resolve } from 'node:path'
import { LllmError } from '../../domain/errors.ts'
import { manifestName } from '../find-manifest.ts'
import type { Manifest } from '../manifest.ts'
import type { PackageNode } from '../package-tree.ts'
import { reasonToLeaveOut } from './left-out.ts'
import { packageRefused } from './package-refused.ts'
import { findRelativeImports, isModule, type RelativeImport } from './relative-imports.ts'
import { addPath, pathBelow, readFolder, type Walk } from './walk-files.ts'

/** Files at the top of a package that tell about it. */
const topFile = /^(?:readme|license|licence|notice|changelog)(?:\.(?:md|txt))?$|^package\.json$/i

/** An import of a file of another package, by its place: so a tactic gets the class of a sub-tactic of a dependency. */
export interface Crossing extends RelativeImport {
  readonly node: PackageNode
  /** The path of the file in that package. */
  readonly path: string
}

export interface CollectedFiles {
  /** By their paths in the package, with `/`: where each is on the disk. Without `lllm.toml`. */
  readonly files: ReadonlyMap<string, string>
  /** By the paths of the files that have them. */
  readonly crossings: ReadonlyMap<string, readonly Crossing[]>
  /** What lies in a section and stays behind, and why. */
  readonly leftOut: readonly string[]
}

/**
 * Finds the files that a package consists of: those of its sections, what tells about it at its top, and the files that its
 * code imports by a relative path, wherever in its folder they are. The rest of the folder is no part of it: a package is
 * often a whole project, with files that nobody meant to hand on.
 *
 * @param dependencies All packages that it depends on.
 * @throws LllmError `package-refused` or `invalid-manifest` for what the package would lack elsewhere.
 */
export async function collectFiles(
  manifest: Manifest,
  { ownOutput, dependencies }: { readonly ownOutput: string; readonly dependencies: readonly PackageNode[] },
): Promise<CollectedFiles> {
  const root = await realpath(manifest.folder)
  const walk: Walk = { root, files: new Map(), leftOut: new Set(), ownOutput: resolve(ownOutput), folders: 0 }
  for (const { name } of await readFolder(root)) if (topFile.test(name)) await addPath(walk, name)
  await addSections(walk, manifest)
  const crossings = await addImports(walk, manifest, dependencies)
  walk.files.delete(manifestName)
  return { files: walk.files, crossings, leftOut: [...walk.leftOut].sort() }
}

async function addSections(walk: Walk, { name, prompts, configs, tactics, sections }: Manifest) {
  for (const section of [prompts, configs, tactics, ...sections.values()]) {
    for (const { path } of section.paths) {
      const start = posix.normalize(path).replace(/\/$/, '')
      const reason = reasonToLeaveOut(start)
      if (section.declared && reason !== undefined) {
        throw packageRefused(`The manifest of "${name}" names ${path}, but ${reason}: move these files.`)
      }
      const isThere = await addPath(walk, start)
      if (isThere || !section.declared) continue
      const file = join(walk.root, path)
      throw new LllmError('invalid-manifest', `${file}: The manifest names this path, but there is nothing.`, { file })
    }
  }
}

/** Follows what the code imports, until nothing is new. */
async function addImports(walk: Walk, { name }: Manifest, dependencies: readonly PackageNode[]) {
  const crossings = new Map<string, readonly Crossing[]>()
  const folders = await Promise.all(
    dependencies.map(async (node) => ({ node, folder: await realpath(node.manifest.folder) })),
  )
  // What is added while the map is gone through is gone through as well.
  for (const [path, file] of walk.files) {
    if (!isModule(path)) continue
    const found: Crossing[] = []
    for (const imported of findRelativeImports(await readFile(file, 'utf8'))) {
      const target = posix.join(posix.dirname(path), imported.specifier).replace(/\/$/, '')
      const real = await realpath(join(walk.root, target)).catch(() => undefined)
      if (real === undefined || target === '.') continue
      const other = findOwner(folders, real, walk.root)
      if (other !== undefined) found.push({ ...imported, ...other })
      else await addImport(walk, target, `${join(walk.root, path)} imports ${imported.specifier}`, imported, name)
    }
    if (found.length > 0) crossings.set(path, found)
  }
  return crossings
}

async function addImport(walk: Walk, target: string, told: string, { isTypeOnly }: RelativeImport, name: string) {
  if (target.split('/')[0] === '..') {
    if (isTypeOnly) return
    throw packageRefused(`${told}, which is outside of the package "${name}" and would be missing elsewhere.`)
  }
  const reason = reasonToLeaveOut(target)
  if (reason !== undefined) throw packageRefused(`${told}, but ${reason}.`)
  await addPath(walk, target)
}

/** The dependency that a file is in: of folders that lie in each other, the innermost. Undefined: none, or the package itself. */
function findOwner(
  folders: readonly { readonly node: PackageNode; readonly folder: string }[],
  file: string,
  own: string,
): Pick<Crossing, 'node' | 'path'> | undefined {
  const around = folders.filter(({ folder }) => pathBelow(folder, file) !== undefined)
  const [inner] = around.toSorted((left, right) => right.folder.length - left.folder.length)
  if (inner === undefined) return undefined
  const isOwn = pathBelow(own, file) !== undefined && own.length > inner.folder.length
  return isOwn ? undefined : { node: inner.node, path: pathBelow(inner.folder, file) ?? '' }
}
