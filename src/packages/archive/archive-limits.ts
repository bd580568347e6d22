const mebibyte = 1024 * 1024

/** What an archive may hold. An export keeps to the same limits, so that whatever is exported can be installed. */
export interface ArchiveLimits {
  readonly archiveBytesMax: number
  /** Files and folders together. */
  readonly entriesMax: number
  readonly fileBytesMax: number
  /** Of all files, unpacked. */
  readonly totalBytesMax: number
  /** How many times larger than packed anything may be, once it is larger than `ratioFromBytes`. */
  readonly ratioMax: number
  readonly ratioFromBytes: number
}

export const archiveLimits: ArchiveLimits = {
  archiveBytesMax: 256 * mebibyte,
  entriesMax: 10_000,
  fileBytesMax: 64 * mebibyte,
  totalBytesMax: 256 * mebibyte,
  ratioMax: 100,
  ratioFromBytes: mebibyte,
}

/** Of a whole path, in UTF-8: with the folder in front of it, it has to fit what systems allow. */
export const pathBytesMax = 1024
/** Of a file's own name, in UTF-8, as most file systems have it. */
export const segmentBytesMax = 255
/** How deep folders may nest. */
export const depthMax = 32
/** Extra fields and comments are of no use here; what is longer than this has been made to be long. */
export const entryExtrasBytesMax = 4096

export function tooLarge(bytes: number, packedBytes: number, limits: ArchiveLimits): string | undefined {
  if (bytes <= limits.ratioFromBytes || bytes <= packedBytes * limits.ratioMax) return undefined
  return `${bytes} bytes are made from ${packedBytes}; at most ${limits.ratioMax} times as much is unpacked`
}
