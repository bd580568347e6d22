import type { FileHandle } from 'node:fs/promises'
import { type Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { entryFault, reasonOf } from './archive-fault.ts'
import type { Archive, ArchiveEntry } from './read-archive.ts'

const chunkBytes = 64 * 1024

/**
 * Writes what a file of the archive holds. It never writes a byte more than the archive says of it.
 *
 * @throws LllmError `invalid-archive` when the file is not what the archive says. What the target itself throws, and the
 *   reason of the signal, are passed on.
 */
export async function unpackFile(
  archive: Archive,
  entry: ArchiveEntry,
  target: Writable,
  signal?: AbortSignal,
): Promise<void> {
  const meter = createMeter(entry)
  const packed = readRange(archive.handle, entry.start, entry.packedBytes)
  const inflate = entry.isDeflated ? createInflateRaw() : undefined
  try {
    const steps = inflate === undefined ? [packed, meter, target] : [packed, inflate, meter, target]
    await pipeline(steps as unknown as [Readable, Writable], signal === undefined ? {} : { signal })
    if (inflate !== undefined && inflate.bytesWritten < entry.packedBytes)
      throw new DamagedFile('it goes on after its end')
  } catch (error) {
    signal?.throwIfAborted()
    if (!isDamage(error)) throw error
    throw entryFault(archive.file, entry.path, `what it holds is damaged (${reasonOf(error)})`, error)
  }
}

/** A pipeline gives every part the error of any, so that an error has to tell where it comes from. */
class DamagedFile extends Error {}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedFile) return true
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}

/** The whole text of a small file. @throws LllmError `invalid-archive` */
export async function unpackText(archive: Archive, entry: ArchiveEntry, bytesMax: number): Promise<string> {
  if (entry.bytes > bytesMax) {
    throw entryFault(archive.file, entry.path, `it has ${entry.bytes} bytes; at most ${bytesMax} are read`)
  }
  const chunks: Uint8Array[] = []
  const target = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  }).resume()
  await unpackFile(archive, entry, target)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replaceAll('\r\n', '\n')
  } catch (cause) {
    throw entryFault(archive.file, entry.path, 'it is not UTF-8 text', cause)
  }
}

async function* readRange(handle: FileHandle, start: number, length: number): AsyncGenerator<Uint8Array> {
  let left = length
  while (left > 0) {
    const wanted = Math.min(left, chunkBytes)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, start + length - left)
    if (bytesRead === 0) throw new DamagedFile('the archive is cut off')
    left -= bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Passes bytes on while they are as many as they should be, and at the end compares their sum. */
function createMeter({ bytes, crc32: expected }: ArchiveEntry): Transform {
  let count = 0
  let sum = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      count += chunk.length
      if (count > bytes) return done(new DamagedFile(`it should have ${bytes} bytes, but has more`))
      sum = crc32(chunk, sum)
      done(null, chunk)
    },
    flush(done) {
      if (count < bytes) return done(new DamagedFile(`it should have ${bytes} bytes, but has ${count}`))
      done(sum === expected ? null : new DamagedFile('its checksum does not fit'))
    },
  })
}
