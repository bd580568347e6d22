import { LllmError } from '../domain/errors.ts'
import type { ConfigSource } from '../domain/package.ts'
import type { ListedFile } from './list-files.ts'
import { readText } from './read-text.ts'
import { readYaml } from './read-yaml.ts'

/** Judged before parsing: the parser takes more than linear time for some texts. */
export const configBytesMax = 256 * 1024

export function isConfigFile(fileName: string): boolean {
  return /\.ya?ml$/.test(fileName)
}

/**
 * Reads configs. Whether their keys fit is judged where they are resolved, with their bases.
 *
 * @throws LllmError `invalid-config` for a file that is no YAML mapping, and for two files of one name.
 */
export async function loadConfigs(files: readonly ListedFile[]): Promise<ReadonlyMap<string, ConfigSource>> {
  const configs = new Map<string, ConfigSource>()
  for (const { file, name } of files) {
    const other = configs.get(name)
    if (other !== undefined) {
      throw new LllmError(
        'invalid-config',
        `${file}: ${other.file} is the config "${name}" already: rename one of them.`,
        {
          file,
        },
      )
    }
    const text = await readText(file, { code: 'invalid-config', bytesMax: configBytesMax })
    configs.set(name, { name, file, value: readYaml(text, { file, code: 'invalid-config' }) })
  }
  return configs
}
