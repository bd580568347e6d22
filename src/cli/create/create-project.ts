import { mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LllmError } from '../../domain/errors.ts'
import { packageName } from '../../domain/resource-url.ts'
import { isSystemError } from '../system-error.ts'

export interface ProjectSpec {
  readonly name: string
  /** Where it is written. Absolute. */
  readonly folder: string
}

/** The folder of this package: the compiled form of this file lies one folder deeper. */
const ownFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../' : '../../../../', import.meta.url),
)
const templateFolder = join(ownFolder, 'templates/project')

/** Names that npm would mistake for something else in the project. */
const taken: ReadonlySet<string> = new Set(['lllm', 'zod', 'node', 'node_modules'])

/**
 * Writes a new project. Whatever goes wrong, nothing of it is left, and no file that was there is touched.
 *
 * @throws LllmError `invalid-parameter` for a name or a folder that does not fit; the system's error where a file cannot be
 *   written; the signal's reason once that aborts.
 */
export async function createProject({ name, folder }: ProjectSpec, signal: AbortSignal): Promise<void> {
  refuseName(name)
  await refuseUsed(folder)
  const files = await makeFiles(name)
  const written: string[] = []
  const made: string[] = []
  try {
    for (const [path, text] of files) {
      signal.throwIfAborted()
      const file = join(folder, path)
      await makeFolder(dirname(file), made)
      await writeFile(file, text, { flag: 'wx' })
      written.push(file)
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true })
    // What somebody else has put into our folders in the meantime stays there, and so does its folder.
    for (const path of made.reverse()) await rmdir(path).catch(() => {})
    throw error
  }
}

/** Makes a folder and those that it lies in, and notes down which of them were not there before. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) return
  // Node's own recursion does not end where a parent cannot be made, as below /proc.
  await makeFolder(dirname(folder), made)
  await mkdir(folder)
  made.push(folder)
}

function refuseName(name: string) {
  const problem = packageName.test(name)
    ? (taken.has(name) || isBuiltin(name)) && 'would be mistaken for the module of that name'
    : `does not fit ${packageName.source}`
  if (problem === false) return
  throw new LllmError('invalid-parameter', `The name ${JSON.stringify(name)} ${problem}. Take one such as my-project.`)
}

async function refuseUsed(folder: string) {
  let files: readonly string[]
  try {
    files = await readdir(folder)
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return
    if (isSystemError(error) && error.code === 'ENOTDIR') throw unfit(`${folder} is no folder.`)
    throw error
  }
  if (files.length === 0) return
  const shown = files.slice(0, 3).join(', ')
  throw unfit(`${folder} has files in it: ${shown}${files.length > 3 ? ' …' : ''}.`)
}

function unfit(reason: string) {
  return new LllmError('invalid-parameter', `${reason} Say --directory with a folder that is empty or not there yet.`)
}

/** By their paths in the project. */
async function makeFiles(name: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map([['package.json', await makePackageJson(name)]])
  for (const entry of await readdir(templateFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = file.slice(templateFolder.length + 1)
    const text = await readFile(file, 'utf8')
    // npm packs no file that is called .gitignore, so ours goes by another name.
    files.set(path === 'gitignore' ? '.gitignore' : path, text.replaceAll('{{name}}', name))
  }
  return files
}

async function makePackageJson(name: string): Promise<string> {
  const own = JSON.parse(await readFile(join(ownFolder, 'package.json'), 'utf8')) as OwnPackage
  const project = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { start: 'lllm serve', test: 'node --test "test/**/*.test.ts"' },
    dependencies: { lllm: `^${own.version}`, zod: `^${own.dependencies['zod']}` },
    // The package `node` puts its own Node first on the path of the scripts above, so that any Node can run npm.
    devDependencies: {
      '@types/node': `^${own.devDependencies['@types/node']}`,
      node: `^${own.devDependencies['node']}`,
    },
    allowScripts: { node: true },
  }
  return `${JSON.stringify(project, null, 2)}\n`
}

interface OwnPackage {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
