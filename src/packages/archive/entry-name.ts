import { depthMax, pathBytesMax, segmentBytesMax } from './archive-limits.ts'

/** Names that are devices on Windows, with whatever extension. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/** Names that mean something else where packages are kept. */
const reservedNames: ReadonlySet<string> = new Set(['node_modules', 'lllm_packages'])

/** Control characters, and those that reverse the direction of a text, so that a name is not what it looks like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const invisible = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/

/**
 * What is wrong with the path of a file in an archive, in words, or undefined. What is right is so on every system: an
 * archive that was made on one has to install on the others.
 */
export function findPathFault(path: string): string | undefined {
  if (invisible.test(path)) return 'it has control characters'
  if (!path.isWellFormed() || path.includes('\ufffd')) return 'it is not Unicode text'
  if (path.includes('\\')) return 'it has a backslash'
  if (path.startsWith('/')) return 'it is an absolute path'
  if (/^[A-Za-z]:/.test(path)) return 'it begins with a drive letter'
  if (path.includes(':')) return 'it has a colon'
  if (Buffer.byteLength(path) > pathBytesMax) return `it is longer than ${pathBytesMax} bytes`
  const segments = path.split('/')
  if (segments.length > depthMax) return `it is nested deeper than ${depthMax} folders`
  for (const segment of segments) {
    const fault = findSegmentFault(segment)
    if (fault !== undefined) return fault
  }
  return undefined
}

function findSegmentFault(segment: string): string | undefined {
  if (segment === '') return 'a part of it is empty'
  if (segment === '.' || segment === '..') return `it has "${segment}" as a part, which leads elsewhere`
  if (Buffer.byteLength(segment) > segmentBytesMax) return `a part of it is longer than ${segmentBytesMax} bytes`
  if (/[. ]$/.test(segment)) return 'a part of it ends with a dot or a space'
  return deviceName.test(segment) ? `"${segment}" is a device on Windows` : undefined
}

/** Whether a package's name, or an alias, may not be the name of its folder. */
export function isReservedName(name: string): boolean {
  return deviceName.test(name) || reservedNames.has(name)
}

/** What two paths have in common that are one file on a system that overlooks case, or how a letter is composed. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC')
}

/** A name from outside, fit to be shown: on one line, and not for ever. */
export function showPath(path: string): string {
  const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path
  return JSON.stringify(shown).replaceAll(new RegExp(invisible, 'g'), (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
