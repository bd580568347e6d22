import { readFile, stat } from 'node:fs/promises'
import { LllmError } from '../domain/errors.ts'
import type { Asset } from '../domain/package.ts'
import type { Listing } from './list-files.ts'

/** Beyond this a file is no part of a prompt or a picture, and would better be streamed. */
export const assetBytesMax = 64 * 1024 * 1024

/** The files of a section by their paths. None of them is opened. @throws LllmError `invalid-manifest` for two of one path. */
export function listAssets({ files }: Listing): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>()
  for (const { file, path } of files) {
    const other = assets.get(path)
    if (other !== undefined) {
      throw new LllmError('invalid-manifest', `${file}: ${other.file} has the path "${path}" already.`, { file })
    }
    assets.set(path, { path, file, bytes: () => readBytes(file), text: () => readUtf8(file) })
  }
  return assets
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > assetBytesMax) throw unreadable(file, `It has ${size} bytes; at most ${assetBytesMax} are read.`)
    return await readFile(file)
  } catch (error) {
    if (error instanceof LllmError) throw error
    throw unreadable(file, 'It cannot be read.', error)
  }
}

async function readUtf8(file: string): Promise<string> {
  const bytes = await readBytes(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw unreadable(file, 'It is not UTF-8 text.', cause)
  }
}

function unreadable(file: string, message: string, cause?: unknown) {
  return new LllmError('unknown-asset', `${file}: ${message}`, { file }, { cause })
}
