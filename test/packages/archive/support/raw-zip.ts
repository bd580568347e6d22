import { crc32, deflateRawSync } from 'node:zlib'

/** An entry as it is written, true or not. What is left out is what an honest program would write. */
export interface RawEntry {
  readonly name: string | Uint8Array
  readonly data?: string | Uint8Array
  /** The method that is written down, and used if it is 0 or 8. */
  readonly method?: number
  /** Packed bytes, where they are not what the data give. */
  readonly packed?: Uint8Array
  readonly declaredBytes?: number
  readonly declaredPackedBytes?: number
  readonly declaredCrc32?: number
  readonly flags?: number
  /** The mode of Unix, with the kind of the file. */
  readonly mode?: number
  readonly madeBy?: number
  readonly extra?: Uint8Array
  readonly comment?: Uint8Array
  /** The name in the header of the entry itself, where it is not that of the directory. */
  readonly localName?: string
  /** Takes the bytes of the entry that was written before this one. */
  readonly sharesBytes?: boolean
}

export interface RawEnd {
  readonly declaredEntries?: number
  readonly disk?: number
  readonly comment?: Uint8Array
  /** Put between the directory and the end. */
  readonly between?: Uint8Array
  /** Tells everything again in the records of zip64. */
  readonly zip64?: boolean
}

const utf8 = 0x0800

/** Writes a zip file byte by byte, so that nothing stands in the way of a wrong one. */
export function rawZip(entries: readonly RawEntry[], end: RawEnd = {}): Buffer {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  let headerAt = 0
  for (const entry of entries) {
    const written = writeEntry(entry)
    if (entry.sharesBytes !== true) {
      headerAt = offset
      parts.push(written.local)
      offset += written.local.length
    }
    directory.push(written.directory(headerAt))
  }
  const central = Buffer.concat(directory)
  const between = end.zip64 === true ? writeZip64End(entries.length, central.length, offset) : end.between
  return Buffer.concat([...parts, central, between ?? Buffer.alloc(0), writeEnd(entries, central, offset, end)])
}

function writeZip64End(count: number, directoryBytes: number, directoryAt: number): Uint8Array {
  const record = Buffer.alloc(76)
  record.writeUInt32LE(0x06064b50, 0)
  const longs: readonly (readonly [number, number])[] = [
    [44, 4],
    [count, 24],
    [count, 32],
    [directoryBytes, 40],
    [directoryAt, 48],
    [directoryAt + directoryBytes, 64],
  ]
  for (const [value, at] of longs) record.writeBigUInt64LE(BigInt(value), at)
  record.writeUInt32LE(0x07064b50, 56)
  record.writeUInt32LE(1, 72)
  return record
}

function writeEntry(entry: RawEntry) {
  const {
    method = 8,
    flags = utf8,
    mode = 0o100644,
    madeBy = 3,
    extra = Buffer.alloc(0),
    comment = Buffer.alloc(0),
  } = entry
  const name = Buffer.from(entry.name)
  const data = Buffer.from(entry.data ?? '')
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(data) : data)
  const fields = Buffer.alloc(22)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(flags, 2)
  fields.writeUInt16LE(method, 4)
  fields.writeUInt16LE(0x21, 8)
  fields.writeUInt32LE(entry.declaredCrc32 ?? crc32(data), 10)
  fields.writeUInt32LE(entry.declaredPackedBytes ?? packed.length, 14)
  fields.writeUInt32LE(entry.declaredBytes ?? data.length, 18)
  const localName = Buffer.from(entry.localName ?? name)
  return {
    local: Buffer.concat([int32(0x04034b50), fields, int16(localName.length), int16(0), localName, packed]),
    directory: (headerAt: number) =>
      Buffer.concat([
        int32(0x02014b50),
        int16((madeBy << 8) | 63),
        fields,
        ...[name.length, extra.length, comment.length, 0, 0].map(int16),
        int32((mode << 16) >>> 0),
        int32(headerAt),
        name,
        extra,
        comment,
      ]),
  }
}

function writeEnd(entries: readonly RawEntry[], central: Uint8Array, offset: number, end: RawEnd) {
  const { declaredEntries = entries.length, disk = 0, comment = Buffer.alloc(0) } = end
  return Buffer.concat([
    int32(0x06054b50),
    ...[disk, 0, declaredEntries, declaredEntries].map(int16),
    int32(central.length),
    int32(offset),
    int16(comment.length),
    comment,
  ])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value & 0xffff)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
