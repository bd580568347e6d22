import { open } from 'node:fs/promises'
import { LllmError } from './domain/errors.ts'

/** Prices, budgets and MCP servers of the largest of services take far less. Nothing more is read, whatever the file is. */
const settingFileBytesMax = 1024 * 1024

/** Reads a file that a setting names. @throws LllmError `invalid-settings` that names the variable and the file. */
export async function readSettingFile(file: string, variable: string): Promise<string> {
  const mistake = (message: string, cause?: unknown) =>
    new LllmError('invalid-settings', `${variable}: the file ${file} ${message}`, { file }, { cause })
  const bytes = await readAtMost(file, settingFileBytesMax + 1).catch((cause: unknown) => {
    throw mistake(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, cause)
  })
  if (bytes.length > settingFileBytesMax) {
    throw mistake(`has more than ${settingFileBytesMax} bytes, which is too much.`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw mistake('is not UTF-8 text.', cause)
  }
}

/** Not by the size that the system tells: that of a device or a pipe is 0. */
async function readAtMost(file: string, bytesMax: number): Promise<Uint8Array> {
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.allocUnsafe(bytesMax)
    let length = 0
    while (length < bytesMax) {
      const { bytesRead } = await handle.read(buffer, length, bytesMax - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  } finally {
    await handle.close()
  }
}
