import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { LllmError, listKnown } from '../domain/errors.ts'
import type { PackageOrigin } from '../domain/package.ts'
import { type DropIn, findDropIns } from './drop-ins.ts'
import { findManifest, isFile, manifestName } from './find-manifest.ts'
import { type Manifest, readManifest, standardManifest } from './manifest.ts'
import type { Dependency } from './manifest-file.ts'

/** A package in its place among the others. Nothing of it has been loaded or run. */
export interface PackageNode {
  readonly manifest: Manifest
  readonly origin: PackageOrigin
  /** Packages that its manifest names, in its order: the name that it has for each, and which that is. */
  readonly dependencies: readonly { readonly name: string; readonly node: PackageNode }[]
  /** Of a drop-in whose folder is called otherwise than the package: what the folder is called. */
  readonly alias?: string
}

export interface PackageTree {
  readonly root: PackageNode
  /** Each once. The root, its dependencies with what they depend on, drop-ins of the project, then those of the user. */
  readonly nodes: readonly PackageNode[]
  readonly warnings: readonly string[]
}

export interface TreeOrigin {
  /** Where the search for a manifest begins; without one, the folder of the package. */
  readonly folder: string
  /** The manifest, or its folder, where it is not to be searched for. Relative to `folder`. */
  readonly manifestPath?: string
  /** Where the packages of the user are, for all projects. Left out: there are none. */
  readonly userFolder?: string
}

/** The folder of a project in which packages are found without being named. */
export const dropInsFolder = 'lllm_packages'

export const packagesMax = 256
export const dependencyDepthMax = 32

/**
 * Finds all packages that belong together: that of the nearest manifest, those that it needs, and the drop-ins.
 *
 * A package is the folder that it is in, so that it is there once however many need it, and by whichever link.
 *
 * @throws LllmError `invalid-manifest` for a mistake in a manifest, for a dependency that is not there, for a cycle, and for
 *   names that are taken twice. It shows the places.
 */
export async function resolvePackages(origin: TreeOrigin): Promise<PackageTree> {
  const manifestPath = await findManifest(origin.folder, origin.manifestPath)
  const manifest = manifestPath === undefined ? standardManifest(origin.folder) : await readManifest(manifestPath)
  const project = await findDropIns(join(manifest.folder, dropInsFolder))
  const user = origin.userFolder === undefined ? [] : await findDropIns(origin.userFolder)
  const resolver = new Resolver([...project, ...user])
  const root = await resolver.resolve(manifest, 'root', [])
  for (const dropIn of project) await resolver.addDropIn(dropIn, 'project')
  for (const dropIn of user) await resolver.addDropIn(dropIn, 'user')
  const unnamed = `There is no ${manifestName} in ${manifest.folder} or above it: its standard folders are served as "${manifest.name}".`
  return {
    root,
    nodes: [root, ...resolver.nodes.filter((node) => node !== root)],
    warnings: [...(manifestPath === undefined ? [unnamed] : []), ...resolver.warnings],
  }
}

/** A node that is not finished: what else its folder is called may come to light later. */
type Draft = PackageNode & { alias?: string }

class Resolver {
  readonly nodes: Draft[] = []
  readonly warnings: string[] = []
  readonly #dropIns: readonly DropIn[]
  readonly #byFolder = new Map<string, Draft>()
  readonly #byName = new Map<string, Draft>()

  constructor(dropIns: readonly DropIn[]) {
    this.#dropIns = dropIns
  }

  async addDropIn({ manifest, alias }: DropIn, origin: 'project' | 'user') {
    const known = this.#byFolder.get(await realpath(manifest.folder))
    if (known !== undefined) {
      // Somebody depends on it; its folder's name leads to it all the same.
      if (alias !== undefined) known.alias = alias
      return
    }
    if (origin === 'user' && (await this.#standIn(manifest)) !== undefined) return
    const node = await this.resolve(manifest, origin, [])
    if (alias !== undefined) node.alias = alias
  }

  /** What is there already of the name of a package that the user has: the project's goes first, with a warning. */
  async #standIn({ name, folder }: Manifest): Promise<Draft | undefined> {
    const same = this.#byName.get(name)
    if (same === undefined || (await realpath(same.manifest.folder)) === (await realpath(folder))) return undefined
    this.warnings.push(
      `${folder}: there is a package "${name}" already, in ${same.manifest.folder}: this one is not loaded.`,
    )
    return same
  }

  /**
   * @param path The packages from the root to the one that needs this, to show a cycle.
   * @param isUsers Whether it is there for a drop-in of the user.
   */
  async resolve(
    manifest: Manifest,
    origin: PackageOrigin,
    path: readonly Manifest[],
    isUsers = origin === 'user',
  ): Promise<Draft> {
    const folder = await realpath(manifest.folder)
    const known = this.#byFolder.get(folder)
    if (known !== undefined) return known
    this.#refuseSameName(manifest)
    if (path.length >= dependencyDepthMax || this.nodes.length >= packagesMax) {
      const bound = `at most ${packagesMax} packages, ${dependencyDepthMax} deep`
      throw mistake(manifest, `There are too many packages that depend on each other: ${bound}.`)
    }
    const dependencies: { readonly name: string; readonly node: PackageNode }[] = []
    const node: Draft = { manifest, origin, dependencies }
    // Known before its dependencies are, so that their order in the list is that of the manifests.
    this.nodes.push(node)
    this.#byName.set(manifest.name, node)
    const below = [...path, manifest]
    for (const dependency of manifest.dependencies) {
      const found = await this.#findDependency(manifest, dependency)
      await refuseCycle(found, below)
      const standIn = isUsers ? await this.#standIn(found) : undefined
      const needed = standIn ?? (await this.resolve(found, 'dependency', below, isUsers))
      const name = dependency.alias ?? dependency.name ?? needed.manifest.name
      if (dependencies.some((other) => other.name === name)) {
        throw mistake(manifest, `[dependencies] packages: two of them are called "${name}" here.`)
      }
      dependencies.push({ name, node: needed })
    }
    this.#byFolder.set(folder, node)
    return node
  }

  #refuseSameName(manifest: Manifest) {
    const same = this.#byName.get(manifest.name)
    if (same === undefined) return
    throw mistake(
      manifest,
      `The name "${manifest.name}" is taken by the package in ${same.manifest.folder}: rename or remove one of them.`,
    )
  }

  async #findDependency(from: Manifest, { text, path, name }: Dependency): Promise<Manifest> {
    if (path !== undefined) {
      const folder = join(from.folder, path)
      const file = join(folder, manifestName)
      if (await isFile(file)) return readManifest(file)
      throw mistake(from, `[dependencies] packages: "${text}": there is no ${manifestName} in ${folder}.`)
    }
    const dropIn = this.#dropIns.find(({ manifest, alias }) => name === manifest.name || name === alias)
    if (dropIn !== undefined) return dropIn.manifest
    const known = listKnown(
      name ?? '',
      this.#dropIns.map(({ manifest }) => manifest.name),
    )
    throw mistake(from, `[dependencies] packages: the package "${name}" is not installed. ${known}`)
  }
}

async function refuseCycle(next: Manifest, path: readonly Manifest[]) {
  const folder = await realpath(next.folder)
  for (const [index, above] of path.entries()) {
    if ((await realpath(above.folder)) !== folder) continue
    const cycle = [...path.slice(index), above].map(({ name }) => name).join(' → ')
    throw mistake(
      path.at(-1) ?? next,
      `[dependencies] packages: the packages depend on each other in a cycle: ${cycle}.`,
    )
  }
}

function mistake({ file, folder }: Manifest, message: string) {
  const place = file ?? folder
  return new LllmError('invalid-manifest', `${place}: ${message}`, { file: place })
}
