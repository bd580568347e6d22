import type { Package } from '../domain/package.ts'
import { findManifest, manifestName } from './find-manifest.ts'
import { isAuthorsModule } from './import-module.ts'
import { listFiles } from './list-files.ts'
import { isConfigFile, loadConfigs } from './load-configs.ts'
import { isPromptFile, loadPrompts } from './load-prompts.ts'
import { loadTactics } from './load-tactics.ts'
import { readManifest, standardManifest } from './manifest.ts'

export interface PackageOrigin {
  /** Where the search for a manifest begins; without one, the folder of the package. */
  readonly folder: string
  /** The manifest, or its folder, where it is not to be searched for. Relative to `folder`. */
  readonly manifestPath?: string
}

/**
 * Loads a package from disk: its manifest, configs, prompts and tactics. Its modules are imported, so it must be a package
 * that the operator trusts; `linkLllm` has to be called before, for they import the library by its name.
 *
 * @throws LllmError `invalid-manifest`, `invalid-config`, `invalid-prompt` or `invalid-tactic`, which names the file.
 */
export async function loadPackage(
  origin: PackageOrigin,
): Promise<{ readonly package: Package; readonly warnings: readonly string[] }> {
  const manifestPath = await findManifest(origin.folder, origin.manifestPath)
  const manifest = manifestPath === undefined ? standardManifest(origin.folder) : await readManifest(manifestPath)
  const { folder, name, version, description } = manifest
  const configFiles = await listFiles(folder, manifest.configs, isConfigFile)
  const promptFiles = await listFiles(folder, manifest.prompts, isPromptFile)
  const tacticFiles = await listFiles(folder, manifest.tactics, isAuthorsModule)
  const configs = await loadConfigs(configFiles.files)
  const prompts = await loadPrompts(promptFiles.files)
  const tactics = await loadTactics(tacticFiles.files)
  const unnamed = `There is no ${manifestName} in ${folder} or above it: its standard folders are served as "${name}".`
  return {
    package: { name, version, ...(description === undefined ? {} : { description }), tactics, configs, prompts },
    warnings: [
      ...(manifestPath === undefined ? [unnamed] : []),
      ...[configFiles, promptFiles, tacticFiles].flatMap(({ warnings }) => warnings),
    ],
  }
}
