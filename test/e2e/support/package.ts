import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { projectFolder } from './service.ts'

/**
 * Writes a package into a new folder outside of this project, which is removed after the test. Gives the path of the folder.
 * A manifest is added where there is none, and the dependencies of this project can be imported.
 */
export async function writePackage(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-e2e-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const withManifest = { 'lllm.toml': '[package]\nname = "demo"\nversion = "1.0.0"\n', ...files }
  for (const [path, content] of Object.entries(withManifest)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await symlink(join(projectFolder, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** The YAML of a config: each agent by its name, with its instructions; `global` as lines of YAML in braces. */
export function config(tactic: string, agents: Readonly<Record<string, string>>, global = 'model_name: gpt-4o') {
  const lines = Object.entries(agents).map(([name, prompt]) => `  - { name: ${name}, system_prompt: '${prompt}' }`)
  return `tactic_type: ${tactic}\nglobal: { ${global} }\nagent_configs:\n${lines.join('\n')}\n`
}
