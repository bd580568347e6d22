import { join, posix } from 'node:path'
import { manifestName } from '../find-manifest.ts'
import { type Manifest, manifestBytesMax, parseManifest } from '../manifest.ts'
import type { Dependency } from '../manifest-file.ts'
import { dependencyDepthMax, packagesMax } from '../package-tree.ts'
import { archiveFault } from './archive-fault.ts'
import { isReservedName, showPath } from './entry-name.ts'
import type { Archive, ArchiveEntry } from './read-archive.ts'
import { unpackText } from './unpack-file.ts'

export interface ArchivedPackage {
  readonly manifest: Manifest
  /** What is to be unpacked, by its path below the folder of the package. */
  readonly entries: readonly { readonly path: string; readonly entry: ArchiveEntry }[]
  /** The names of the packages that it brings along. */
  readonly bundled: readonly string[]
  /** Their folders, and that of the package itself, below the folder of the package. */
  readonly folders: readonly string[]
  /** The names of installed packages that it, or one that it brings along, depends on. */
  readonly needs: readonly string[]
  /** What it, or one that it brings along, calls others: an alias, and the name of the package. */
  readonly aliases: readonly (readonly [alias: string, name: string])[]
}

/**
 * Reads what the archive says of its package, and judges whether the package would be whole where it is installed. Its
 * manifest is at the top, or in the one folder that is there, as when a folder was compressed and not what is in it.
 *
 * @throws LllmError `invalid-archive` or `invalid-manifest`
 */
export async function judgePackage(archive: Archive): Promise<ArchivedPackage> {
  const top = findTop(archive)
  const entries = archive.entries
    .filter(({ path }) => path.startsWith(top))
    .map((entry) => ({ path: entry.path.slice(top.length), entry }))
  const files = new Map(entries.map(({ path, entry }) => [path, entry]))
  const reader: Reader = { archive, files, paths: withFolders(files.keys()), read: new Map(), aliases: [] }
  const manifest = await readWithDependencies(reader, '', [])
  const manifests = [...reader.read.values()]
  const names = new Set<string>()
  for (const { name } of manifests) {
    if (names.has(name)) throw archiveFault(archive.file, `It has two packages of the name "${name}".`)
    names.add(name)
  }
  const needs = new Set(manifests.flatMap(({ dependencies }) => dependencies.flatMap(({ name }) => name ?? [])))
  if (needs.has(manifest.name)) throw archiveFault(archive.file, `"${manifest.name}" depends on itself.`)
  for (const [alias, name] of reader.aliases) {
    if (!names.has(alias) || alias === name) continue
    throw archiveFault(
      archive.file,
      `"${name}" is called "${alias}" in it, which is the name of another package in it.`,
    )
  }
  return {
    manifest,
    entries,
    bundled: [...names].filter((name) => name !== manifest.name).sort(),
    folders: [...reader.read.keys()],
    needs: [...needs].sort(),
    aliases: reader.aliases,
  }
}

/** What is in front of the paths of the package: nothing, or its one folder. */
function findTop({ entries, file }: Archive): string {
  const has = (path: string) => entries.some((entry) => entry.path === path && entry.kind === 'file')
  if (has(manifestName)) return ''
  const [folder, ...others] = new Set(entries.map(({ path }) => path.split('/', 1)[0] ?? ''))
  if (folder !== undefined && others.length === 0 && has(`${folder}/${manifestName}`)) return `${folder}/`
  throw archiveFault(file, `There is no ${manifestName} at its top, so it holds no package.`)
}

interface Reader {
  readonly archive: Archive
  readonly files: ReadonlyMap<string, ArchiveEntry>
  /** Those of all files, and of the folders that they are in. */
  readonly paths: ReadonlySet<string>
  /** By their folders in the package. */
  readonly read: Map<string, Manifest>
  readonly aliases: (readonly [alias: string, name: string])[]
}

function withFolders(files: Iterable<string>): ReadonlySet<string> {
  const paths = new Set(['.'])
  for (const file of files) for (let path = file; !paths.has(path); path = posix.dirname(path)) paths.add(path)
  return paths
}

/**
 * A manifest, and those of the packages that it names by a path. There are no more of them, and no longer chains, than a
 * start would take with the project above them. `chain`: the folders of those that led here.
 */
async function readWithDependencies(reader: Reader, folder: string, chain: readonly string[]): Promise<Manifest> {
  const known = reader.read.get(folder)
  if (known !== undefined) return known
  const { file } = reader.archive
  if (reader.read.size + 1 >= packagesMax || chain.length + 1 >= dependencyDepthMax) {
    const bound = `at most ${packagesMax - 1} packages, ${dependencyDepthMax - 1} deep`
    throw archiveFault(file, `It has too many packages that depend on each other: ${bound}.`)
  }
  const manifest = await readOne(reader, folder)
  reader.read.set(folder, manifest)
  judgeSections(reader, manifest, folder)
  const names = new Set<string>()
  for (const dependency of manifest.dependencies) {
    const target = targetOf(dependency, manifest, folder, [...chain, folder], reader)
    const needed =
      target === undefined
        ? (dependency.name ?? '')
        : (await readWithDependencies(reader, target, [...chain, folder])).name
    const name = dependency.alias ?? needed
    if (names.has(name)) throw archiveFault(file, `"${manifest.name}" calls two of its dependencies "${name}".`)
    names.add(name)
    if (dependency.alias !== undefined) reader.aliases.push([name, needed])
  }
  return manifest
}

/** The folder of a dependency in the archive. Undefined: it has to be installed. */
function targetOf(
  { text, path }: Dependency,
  { name }: Manifest,
  folder: string,
  chain: readonly string[],
  { archive: { file }, files }: Reader,
): string | undefined {
  if (path === undefined) return undefined
  const target = posix.join(folder, path).replace(/\/$/, '')
  const told = `The dependency ${showPath(text)} of the package "${name}"`
  if (target.split('/')[0] === '..') {
    throw archiveFault(file, `${told} leads out of the package, where nobody knows what there is.`)
  }
  if (target === '.' || chain.includes(target)) {
    throw archiveFault(file, `${told} leads back to a package that depends on it.`)
  }
  if (files.has(posix.join(target, manifestName))) return target
  throw archiveFault(file, `${told} is not in it. Export it with --bundle-deps.`)
}

async function readOne({ archive, files }: Reader, folder: string): Promise<Manifest> {
  const path = posix.join(folder, manifestName)
  const entry = files.get(path)
  if (entry === undefined || entry.kind !== 'file') throw archiveFault(archive.file, `${path} is no file.`)
  const manifest = parseManifest(await unpackText(archive, entry, manifestBytesMax), join(archive.file, entry.path))
  if (isReservedName(manifest.name)) {
    throw archiveFault(archive.file, `The name "${manifest.name}" is reserved: no package can have it.`)
  }
  return manifest
}

/** A path that the manifest names but the archive does not have would stop the service at its next start. */
function judgeSections({ archive, paths }: Reader, manifest: Manifest, folder: string): void {
  const sections = new Map([
    ['prompts', manifest.prompts],
    ['configs', manifest.configs],
    ['tactics', manifest.tactics],
    ...manifest.sections,
  ])
  for (const [name, section] of sections) {
    for (const { path } of section.declared ? section.paths : []) {
      const target = posix.join(folder, path).replace(/\/$/, '')
      if (paths.has(target)) continue
      throw archiveFault(archive.file, `[${name}] of the package "${manifest.name}" names ${path}, which is not in it.`)
    }
  }
}
