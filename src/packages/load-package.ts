import type { Asset, Package } from '../domain/package.ts'
import { isAuthorsModule } from './import-module.ts'
import { type Listing, listFiles } from './list-files.ts'
import { listAssets } from './load-assets.ts'
import { isConfigFile, loadConfigs } from './load-configs.ts'
import { isPromptFile, loadPrompts } from './load-prompts.ts'
import { loadTactics } from './load-tactics.ts'
import type { Manifest } from './manifest.ts'

/** A package on its own, not linked with others yet. */
export type LonePackage = Omit<Package, 'dependencies' | 'reachable'>

/**
 * Loads one package from disk: its configs, prompts and tactics. Its modules are imported.
 *
 * @throws LllmError `invalid-manifest`, `invalid-config`, `invalid-prompt` or `invalid-tactic`, which names the file.
 */
export async function loadPackage(
  manifest: Manifest,
): Promise<{ readonly package: LonePackage; readonly warnings: readonly string[] }> {
  const { folder, name, version, description } = manifest
  const configFiles = await listFiles(folder, manifest.configs, isConfigFile)
  const promptFiles = await listFiles(folder, manifest.prompts, isPromptFile)
  const tacticFiles = await listFiles(folder, manifest.tactics, isAuthorsModule)
  const listings: Listing[] = [configFiles, promptFiles, tacticFiles]
  const sections = new Map<string, ReadonlyMap<string, Asset>>()
  for (const [sectionName, section] of manifest.sections) {
    const listing = await listFiles(folder, section, () => true)
    listings.push(listing)
    sections.set(sectionName, listAssets(listing))
  }
  return {
    package: {
      name,
      version,
      ...(description === undefined ? {} : { description }),
      configs: await loadConfigs(configFiles.files),
      prompts: await loadPrompts(promptFiles.files),
      tactics: await loadTactics(tacticFiles.files),
      sections,
    },
    warnings: listings.flatMap(({ warnings }) => warnings),
  }
}
