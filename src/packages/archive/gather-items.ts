import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { manifestName } from '../find-manifest.ts'
import { manifestBytesMax } from '../manifest.ts'
import type { PackageNode } from '../package-tree.ts'
import { readText } from '../read-text.ts'
import { type Crossing, collectFiles } from './collect-files.ts'
import { findPathFault } from './entry-name.ts'
import { packageRefused } from './package-refused.ts'
import { rewriteImports } from './relative-imports.ts'
import { rewriteDependencies } from './rewrite-dependencies.ts'
import type { ArchiveItem } from './write-archive.ts'

interface Gathering {
  /** The archive that is to be written. */
  readonly outFile: string
  /** Whether the packages after the first one are its dependencies, and come along. */
  readonly bundleDeps: boolean
}

interface Gathered {
  readonly items: readonly ArchiveItem[]
  /** What lies in sections and stays behind, and why. */
  readonly leftOut: readonly string[]
}

/** All packages that one depends on, each once. The tree has no cycles. */
export function listDependencies(node: PackageNode): readonly PackageNode[] {
  const found = new Set<PackageNode>()
  const add = ({ dependencies }: PackageNode) => {
    for (const { node: needed } of dependencies) {
      if (found.has(needed)) continue
      found.add(needed)
      add(needed)
    }
  }
  add(node)
  return [...found]
}

/**
 * Everything that an archive is made of: the first package at its top, those that come along below it. What one of them says
 * of the place of another, in its manifest and in its code, is said of the place in the archive.
 *
 * @throws LllmError `package-refused` or `invalid-manifest`
 */
export async function gatherItems(nodes: readonly PackageNode[], gathering: Gathering): Promise<Gathered> {
  const [top] = nodes
  const placeOf = (node: PackageNode) => (node === top ? '' : `lllm_packages/${node.manifest.name}/`)
  const items = new Map<string, ArchiveItem>()
  const leftOut: string[] = []
  const crossed: { readonly path: string; readonly told: string }[] = []
  for (const node of nodes) {
    const place = placeOf(node)
    const dependencies = listDependencies(node)
    const collected = await collectFiles(node.manifest, { ownOutput: gathering.outFile, dependencies })
    for (const [path, file] of collected.files) {
      const fault = findPathFault(place + path)
      if (fault !== undefined) throw packageRefused(`${file}: It cannot be exported under its name: ${fault}.`)
      const crossings = (collected.crossings.get(path) ?? []).filter(
        ({ isTypeOnly }) => gathering.bundleDeps || !isTypeOnly,
      )
      judgeCrossings(join(node.manifest.folder, path), crossings, gathering)
      const item = await toItem(place + path, file, crossings, placeOf)
      items.set(item.path, item)
      for (const { node: other, path: wanted, specifier } of crossings) {
        crossed.push({
          path: placeOf(other) + wanted,
          told: `${join(node.manifest.folder, path)} imports ${specifier}`,
        })
      }
    }
    leftOut.push(...collected.leftOut.map((told) => place + told))
    const manifest = await toManifestItem(node, placeOf, gathering)
    items.set(manifest.path, manifest)
  }
  const lost = crossed.find(({ path }) => !items.has(path))
  if (lost !== undefined) throw packageRefused(`${lost.told}, which is in no section of its package.`)
  return { items: [...items.values()], leftOut }
}

function judgeCrossings(file: string, [crossing]: readonly Crossing[], { bundleDeps }: Gathering) {
  if (crossing === undefined || bundleDeps) return
  const { specifier, node } = crossing
  const told = `${file} imports ${specifier}, a file of the package "${node.manifest.name}"`
  throw packageRefused(`${told}, whose place elsewhere nobody knows: export it with --bundle-deps.`)
}

async function toItem(
  path: string,
  file: string,
  crossings: readonly Crossing[],
  placeOf: (node: PackageNode) => string,
): Promise<ArchiveItem> {
  if (crossings.length === 0) return { path, file }
  const specifiers = crossings.map(({ specifier, node, path: target }): [string, string] => {
    return [specifier, pathBetween(posix.dirname(path), placeOf(node) + target)]
  })
  return { path, text: rewriteImports(await readFile(file, 'utf8'), new Map(specifiers)) }
}

/** Dependencies that are written as paths become names, or paths to where they are in the archive. */
async function toManifestItem(
  node: PackageNode,
  placeOf: (node: PackageNode) => string,
  { bundleDeps }: Gathering,
): Promise<ArchiveItem> {
  const { manifest, dependencies } = node
  if (manifest.file === undefined) {
    throw packageRefused(
      `${manifest.folder}: There is no ${manifestName}: only what has a name and a version is exported.`,
    )
  }
  const place = placeOf(node)
  const replacements = manifest.dependencies.map(({ text, path, alias }, index): [string, string] => {
    const needed = dependencies[index]
    if (needed === undefined) return [text, text]
    const { name } = needed.node.manifest
    const target = bundleDeps ? pathBetween(place, placeOf(needed.node)) : name
    // The name of its folder, by which it may be called here, is another one elsewhere.
    const called = alias ?? (path === undefined && needed.name !== name ? needed.name : undefined)
    return [text, called === undefined ? target : `${target} as ${called}`]
  })
  const path = `${place}${manifestName}`
  const text = await readText(manifest.file, { code: 'invalid-manifest', bytesMax: manifestBytesMax })
  const rewritten = rewriteDependencies(text, new Map(replacements))
  return rewritten === text ? { path, file: manifest.file } : { path, text: rewritten }
}

/** How a folder of the archive names something in it. */
function pathBetween(folder: string, target: string): string {
  const path = posix.relative(`/${folder}`, `/${target}`)
  return path.startsWith('.') ? path : `./${path}`
}
