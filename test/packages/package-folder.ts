import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { loadPackages } from '../../src/packages/load-packages.ts'

/** Writes files into a new folder, which is removed after the test. Gives the path of the folder. */
export async function packageFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-package-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

/** Loads the project in a folder: the package that is served, and all that belong to it. */
export async function loadFolder(folder: string) {
  const loaded = await loadPackages({ folder })
  return { ...loaded, package: loaded.packages.root }
}

/** A manifest with a name, and further lines if wanted. */
export function manifest(name = 'demo', more = ''): string {
  return `[package]\nname = "${name}"\nversion = "1.0.0"\n${more}`
}

/** The source of a tactic of one agent. */
export function tactic(name: string): string {
  return `import { Tactic } from 'lllm'
export default class extends Tactic({ name: '${name}', agents: ['writer'] }) {
  async call(task) { return task }
}
`
}
