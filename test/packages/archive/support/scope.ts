import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { packageFolder } from '../../package-folder.ts'

/** A new folder with a project in it, an archive beside it, and the folder of the project's packages, not yet made. */
export async function createScope(archive: Uint8Array | string = '') {
  const root = await packageFolder({ 'archive.zip': archive, 'project/keep.txt': 'kept' })
  const scopeFolder = join(root, 'project/lllm_packages')
  return { root, archive: join(root, 'archive.zip'), scopeFolder }
}

/** Everything below a folder, by its path: the text of a file, `→` and the target of a link, or undefined for a folder. */
export async function snapshot(folder: string): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    const status = await lstat(path)
    const key = relative(folder, path).split(sep).join('/')
    if (status.isSymbolicLink()) found.set(key, `→ ${await readlink(path)}`)
    else found.set(key, status.isDirectory() ? undefined : await readFile(path, 'latin1'))
  }
  return found
}

/** Only the files of a snapshot. */
export async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const files = [...(await snapshot(folder))].filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(files)
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}
