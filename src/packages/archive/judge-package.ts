import { join, posix } from 'node:path'
import { type Manifest, parseManifest } from '../manifest.ts'
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
  /** The names of installed packages that it, or one that it brings along, depends on. */
  readonly needs: readonly string[]
}

const manifestName = 'lllm.toml'
const manifestBytesMax = 64 * 1024

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
  const reader: Reader = { archive, files: new Map(entries.map(({ path, entry }) => [path, entry])), read: new Map() }
  const manifest = await readWithDependencies(reader, '', [])
  const manifests = [...reader.read.values()]
  const twice = manifests.find((one, index) => manifests.findIndex(({ name }) => name === one.name) < index)
  if (twice !== undefined) throw archiveFault(archive.file, `It has two packages of the name "${twice.name}".`)
  const bundled = manifests.map(({ name }) => name).filter((name) => name !== manifest.name)
  const needs = manifests.flatMap(({ dependencies }) => dependencies.flatMap(({ name }) => name ?? []))
  return { manifest, entries, bundled: bundled.sort(), needs: [...new Set(needs)].sort() }
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
  /** By their folders in the package. */
  readonly read: Map<string, Manifest>
}

/** A manifest, and those of the packages that it names by a path. `chain`: the folders of those that led here. */
async function readWithDependencies(reader: Reader, folder: string, chain: readonly string[]): Promise<Manifest> {
  const known = reader.read.get(folder)
  if (known !== undefined) return known
  const { file } = reader.archive
  const manifest = await readOne(reader, folder)
  judgeSections(reader, manifest, folder)
  for (const { text, path } of manifest.dependencies) {
    if (path === undefined) continue
    const target = posix.normalize(posix.join(folder, path)).replace(/\/$/, '')
    const told = `The dependency ${showPath(text)} of the package "${manifest.name}"`
    if (posix.isAbsolute(path) || target.split('/')[0] === '..') {
      throw archiveFault(file, `${told} leads out of the package, where nobody knows what there is.`)
    }
    if (target === '.' || target === folder || chain.includes(target)) {
      throw archiveFault(file, `${told} leads back to a package that depends on it.`)
    }
    if (!reader.files.has(posix.join(target, manifestName))) {
      throw archiveFault(file, `${told} is not in it. Export it with --bundle-deps.`)
    }
    await readWithDependencies(reader, target, [...chain, folder])
  }
  reader.read.set(folder, manifest)
  return manifest
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
function judgeSections({ archive, files }: Reader, manifest: Manifest, folder: string): void {
  const paths = [...files.keys()]
  const sections = new Map([
    ['prompts', manifest.prompts],
    ['configs', manifest.configs],
    ['tactics', manifest.tactics],
    ...manifest.sections,
  ])
  for (const [name, section] of sections) {
    for (const { path } of section.declared ? section.paths : []) {
      const target = posix.join(folder, path).replace(/\/$/, '')
      if (target === '.' || paths.some((known) => known === target || known.startsWith(`${target}/`))) continue
      throw archiveFault(archive.file, `[${name}] of the package "${manifest.name}" names ${path}, which is not in it.`)
    }
  }
}
