import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LllmError } from '../domain/errors.ts'

export const manifestName = 'lllm.toml'

/**
 * The path of the manifest that is nearest to a folder, in it or above it. None: undefined.
 * With `explicitPath`, that file, or the manifest in that folder.
 *
 * @throws LllmError `invalid-manifest` when nothing is at the explicit path.
 */
export async function findManifest(startFolder: string, explicitPath?: string): Promise<string | undefined> {
  if (explicitPath !== undefined) {
    const given = resolve(startFolder, explicitPath)
    const found = [given, join(given, manifestName)]
    for (const path of found) if (await isFile(path)) return path
    const message = `${given}: There is no ${manifestName}, where LLLM_CONFIG (or --package) says that one is.`
    throw new LllmError('invalid-manifest', message, { file: given })
  }
  let folder = resolve(startFolder)
  // The chain of parents ends at the root, which is its own parent.
  while (true) {
    const path = join(folder, manifestName)
    if (await isFile(path)) return path
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
}

export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
