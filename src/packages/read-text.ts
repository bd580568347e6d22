import { readFile, stat } from 'node:fs/promises'
import { type ErrorCode, isLllmError, LllmError } from '../domain/errors.ts'

/** What kind of file is read: the code of its mistakes, and how large it may be. */
export interface TextLimits {
  readonly code: ErrorCode
  readonly bytesMax: number
}

/**
 * Reads a text file. Its size is judged before it is read, a byte order mark is dropped, and lines end with `\n` whichever
 * system they were written on, so that a prompt is the same text everywhere.
 *
 * @throws LllmError with the given code when the file cannot be read, is too large, or is not UTF-8.
 */
export async function readText(file: string, { code, bytesMax }: TextLimits): Promise<string> {
  const mistake = (message: string, cause?: unknown) => new LllmError(code, `${file}: ${message}`, { file }, { cause })
  let bytes: Uint8Array
  try {
    const { size } = await stat(file)
    if (size > bytesMax) throw mistake(`It has ${size} bytes; at most ${bytesMax} are read.`)
    bytes = await readFile(file)
  } catch (error) {
    if (isLllmError(error)) throw error
    throw mistake(`It cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n')
  } catch (error) {
    throw mistake('It is not UTF-8 text.', error)
  }
}
