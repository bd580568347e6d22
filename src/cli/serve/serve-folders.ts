import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** A package whose files are watched. */
export interface WatchedPackage {
  readonly folder: string
  /** Folders and files whose files count whatever they are called. */
  readonly assets: readonly string[]
}

export interface FolderWatch {
  /** Resolves with the path of the first file that has changed. */
  readonly changed: Promise<string>
  /** What cannot be watched, in words. */
  readonly warnings: readonly string[]
  close(): void
}

const foldersMax = 2_000
const depthMax = 16
/** What is written while a service runs, or is not an author's. */
const ignoredNames: ReadonlySet<string> = new Set(['node_modules', 'data'])
/** Of what a package is made. A database or a log beside it changes with every call. */
const sourceFile = /\.(?:[cm]?[jt]s|json|toml|ya?ml|md|txt)$/

/**
 * Watches the folders of packages, each by itself: a recursive watch would also go through `node_modules`. Folders that are
 * made later count as a change, after which everything is watched anew.
 */
export async function watchFolders(packages: readonly WatchedPackage[]): Promise<FolderWatch> {
  const { promise: changed, resolve } = Promise.withResolvers<string>()
  const assets = packages.flatMap((watched) => watched.assets)
  const watchers: FSWatcher[] = []
  const warnings: string[] = []
  async function onEvent(path: string, name: string) {
    if (isIgnored(name)) return
    const counts = sourceFile.test(name) || assets.some((asset) => path === asset || path.startsWith(asset + sep))
    if (counts || (await isFolder(path))) resolve(path)
  }
  for (const folder of await findFolders(packages, warnings)) {
    try {
      const watcher = watch(folder, (_type, name) => void onEvent(join(folder, name ?? ''), name ?? ''))
      // A folder that is removed is a change in the one above it.
      watcher.on('error', () => watcher.close())
      watchers.push(watcher)
    } catch (error) {
      warnings.push(`${folder} cannot be watched: ${error instanceof Error ? error.message : String(error)}.`)
      break
    }
  }
  return {
    changed,
    warnings,
    close: () => {
      for (const watcher of watchers) watcher.close()
    },
  }
}

async function findFolders(packages: readonly WatchedPackage[], warnings: string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  async function walk(folder: string, depth: number): Promise<void> {
    if (found.has(folder) || depth > depthMax || found.size >= foldersMax) return
    found.add(folder)
    // One that has just been removed has nothing in it.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (entry.isDirectory() && !isIgnored(entry.name)) await walk(join(folder, entry.name), depth + 1)
    }
  }
  for (const { folder } of packages) await walk(folder, 0)
  if (found.size >= foldersMax) warnings.push(`Only the first ${foldersMax} folders are watched.`)
  return found
}

function isIgnored(name: string): boolean {
  return name.startsWith('.') || ignoredNames.has(name)
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
