import { LllmError } from '../domain/errors.ts'
import type { Package, PackageSet } from '../domain/package.ts'
import { type LonePackage, loadPackage } from './load-package.ts'
import { type PackageNode, type PackageTree, resolvePackages, type TreeOrigin } from './package-tree.ts'

export interface LoadedPackages {
  readonly packages: PackageSet
  readonly tree: PackageTree
  readonly warnings: readonly string[]
}

/**
 * Loads all packages that belong together. Their modules are imported, so they must be packages that the operator trusts;
 * `linkLllm` has to be called before, for they import the library by its name.
 *
 * @throws LllmError `invalid-manifest`, `invalid-config`, `invalid-prompt` or `invalid-tactic`, which names the file.
 */
export async function loadPackages(origin: TreeOrigin): Promise<LoadedPackages> {
  const tree = await resolvePackages(origin)
  const warnings = [...tree.warnings]
  const sources = new Map<PackageNode, LonePackage>()
  for (const node of tree.nodes) {
    const { package: source, warnings: noticed } = await loadPackage(node.manifest)
    warnings.push(...noticed)
    sources.set(node, source)
  }
  return { packages: linkPackages(tree, sources), tree, warnings }
}

/** Makes packages known to each other. @throws LllmError `invalid-manifest` for an alias that is taken. */
export function linkPackages(tree: PackageTree, sources: ReadonlyMap<PackageNode, LonePackage>): PackageSet {
  const loaded = new Map<PackageNode, Linkable>()
  for (const [node, source] of sources) loaded.set(node, { ...source, dependencies: [], reachable: new Map() })
  for (const node of tree.nodes) link(node, loaded, tree)
  const all = [...loaded.values()]
  const [root] = all
  const origins = new Map([...loaded].map(([{ origin }, source]) => [source, origin]))
  return { root: root as Package, all, origins }
}

/** A package while its neighbours are being filled in: they may need each other's. */
interface Linkable extends Package {
  readonly dependencies: Package[]
  readonly reachable: Map<string, Package>
}

function link(node: PackageNode, loaded: ReadonlyMap<PackageNode, Linkable>, tree: PackageTree) {
  const home = loaded.get(node) as Linkable
  for (const other of loaded.values()) home.reachable.set(other.name, other)
  const name = (alias: string, target: PackageNode) => {
    const taken = home.reachable.get(alias)
    const meant = loaded.get(target) as Package
    if (taken !== undefined && taken !== meant) {
      const { file, folder } = node.manifest
      const message = `"${alias}" cannot be another name for "${meant.name}": it leads to the package "${taken.name}" of that name or alias.`
      throw new LllmError('invalid-manifest', `${file ?? folder}: ${message}`, { file: file ?? folder })
    }
    home.reachable.set(alias, meant)
  }
  for (const { name: alias, node: target } of node.dependencies) {
    home.dependencies.push(loaded.get(target) as Package)
    name(alias, target)
  }
  // What was dropped in is not named by anybody, so that it is found by its name and not by chance.
  if (node !== tree.root) return
  for (const target of tree.nodes) if (target.alias !== undefined) name(target.alias, target)
}
