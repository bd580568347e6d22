import { stat } from 'node:fs/promises'
import { isAuthorsModule } from './import-module.ts'
import { type ListedFile, listFiles } from './list-files.ts'
import { listAssets } from './load-assets.ts'
import { isConfigFile, loadConfigs } from './load-configs.ts'
import { isPromptFile, loadPrompts } from './load-prompts.ts'
import type { Manifest } from './manifest.ts'

/** The parsers take a second for a quarter of this, if somebody has made a text to be slow. */
const judgedBytesMax = 4 * 1024 * 1024

/**
 * Judges everything of a package that a start reads, other than its code: its folders, its configs, the front matter of its
 * prompts. Nothing of it is run.
 *
 * @returns What was not judged, in words.
 * @throws LllmError `invalid-manifest`, `invalid-config` or `invalid-prompt`, as a start would.
 */
export async function judgeFiles({ name, folder, configs, prompts, tactics, sections }: Manifest) {
  const { files: configFiles } = await listFiles(folder, configs, isConfigFile)
  const { files: promptFiles } = await listFiles(folder, prompts, isPromptFile)
  await listFiles(folder, tactics, isAuthorsModule)
  for (const section of sections.values()) listAssets(await listFiles(folder, section, () => true))
  const texts = promptFiles.filter(({ file }) => file.endsWith('.md'))
  if ((await sizeOf([...configFiles, ...texts])) > judgedBytesMax) {
    return [`The configs and prompts of "${name}" have more than ${judgedBytesMax} bytes: lllm check judges them.`]
  }
  await loadConfigs(configFiles)
  await loadPrompts(texts)
  return []
}

async function sizeOf(files: readonly ListedFile[]): Promise<number> {
  let bytes = 0
  for (const { file } of files) bytes += (await stat(file)).size
  return bytes
}
