import { readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findManifest, manifestName } from '../../packages/find-manifest.ts'
import { type Manifest, readManifest } from '../../packages/manifest.ts'
import { dropInsFolder, type PackageTree, resolvePackages, type TreeOrigin } from '../../packages/package-tree.ts'
import type { Findings } from './check-findings.ts'

/** The packages of a project: put together, or, where that is not possible, those whose manifests can be read. */
export type FoundPackages =
  | { readonly tree: PackageTree; readonly manifests: readonly Manifest[] }
  | { readonly tree: undefined; readonly manifests: readonly Manifest[] }

/** As many manifests are read where they cannot be put together. */
const manifestsMax = 256

export async function findPackages(origin: TreeOrigin, findings: Findings): Promise<FoundPackages> {
  const tree = await findings.attempt(() => resolvePackages(origin))
  if (tree !== undefined) {
    findings.warn(tree.warnings)
    return { tree, manifests: tree.nodes.map(({ manifest }) => manifest) }
  }
  const manifests = await readManifests(origin, findings)
  findings.warn([
    'The packages could not be put together: each was checked by itself, and not what they say of each other.',
  ])
  return { tree: undefined, manifests }
}

/** The manifest of the project, those of the packages that it needs, and of the drop-ins. */
async function readManifests(
  { folder, manifestPath, userFolder }: TreeOrigin,
  findings: Findings,
): Promise<readonly Manifest[]> {
  const root = await findings.attempt(() => findManifest(folder, manifestPath))
  const rootFolders = root === undefined ? [] : [join(dirname(root), dropInsFolder)]
  const folders = [...rootFolders, ...(userFolder === undefined ? [] : [userFolder])]
  const dropIns = (await Promise.all(folders.map(findInside))).flat()
  const waiting = [...(root === undefined ? [] : [root]), ...dropIns]
  const manifests = new Map<string, Manifest>()
  const visited = new Set<string>()
  for (const file of waiting) {
    const path = await realpath(file).catch(() => file)
    if (visited.has(path) || visited.size >= manifestsMax) continue
    visited.add(path)
    const manifest = await findings.attempt(() => readManifest(file))
    if (manifest === undefined) continue
    manifests.set(path, manifest)
    for (const dependency of manifest.dependencies) {
      // One that is not there has been told of where the packages were to be put together.
      const needed = dependency.path && join(manifest.folder, dependency.path, manifestName)
      if (needed && (await exists(needed))) waiting.push(needed)
    }
  }
  return [...manifests.values()]
}

async function findInside(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name, manifestName))
  const there = await Promise.all(files.map(exists))
  return files.filter((_, index) => there[index])
}

async function exists(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  )
}
