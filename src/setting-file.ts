import { readFile, stat } from 'node:fs/promises'
import { LllmError } from './domain/errors.ts'

/** Prices, budgets and MCP servers of the largest of services take far less. Judged before anything is parsed. */
const settingFileBytesMax = 1024 * 1024

/** Reads a file that a setting names. @throws LllmError `invalid-settings` that names the variable and the file. */
export async function readSettingFile(file: string, variable: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size <= settingFileBytesMax) return await readFile(file, 'utf8')
  } catch (cause) {
    throw new LllmError('invalid-settings', `${variable}: the file ${file} cannot be read.`, { file }, { cause })
  }
  throw new LllmError(
    'invalid-settings',
    `${variable}: the file ${file} has more than ${settingFileBytesMax} bytes, which is too much.`,
    { file },
  )
}
