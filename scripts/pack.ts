import { execFile } from 'node:child_process'
import { cp, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const project = join(import.meta.dirname, '..')

/** What is published, as a tarball. */
export interface Tarball {
  readonly file: string
  /** The paths in it. */
  readonly paths: readonly string[]
}

/** Compiles this project into a folder of its own and packs it there, so that nobody's `dist` is in the way. */
export async function packProject(folder: string): Promise<Tarball> {
  await mkdir(folder, { recursive: true })
  const { files } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { files: readonly string[] }
  const copied = ['package.json', 'README.md', 'LICENSE', ...files.filter((file) => file !== 'dist')]
  await Promise.all([
    run(bin('tsc'), ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], { cwd: project }).catch(refuse),
    ...copied.map((file) => cp(join(project, file), join(folder, file), { recursive: true })),
  ])
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: folder })
  const [packed] = JSON.parse(stdout) as readonly { filename: string; files: readonly { path: string }[] }[]
  if (packed === undefined) throw new Error('npm has packed nothing.')
  return { file: join(folder, packed.filename), paths: packed.files.map(({ path }) => path) }
}

export function bin(name: string): string {
  return join(project, 'node_modules/.bin', name)
}

/** The compiler tells its errors on the standard output. */
function refuse(error: { readonly stdout?: string }): never {
  throw new Error(`The sources do not compile.\n${error.stdout}`)
}
