/** Folders at the top of a package that hold what belongs to this machine: sessions, and packages of others. */
const foldersLeftOut: ReadonlySet<string> = new Set(['data', 'lllm_packages'])

/** Databases, with the files that SQLite keeps beside them. */
const database = /\.(?:db|sqlite3?)(?:-(?:wal|shm|journal))?$/i

/**
 * Why a file or a folder never becomes part of an export, in words, or undefined. The path is relative to the folder of the
 * package, with `/`.
 */
export function reasonToLeaveOut(path: string): string | undefined {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  const [first = ''] = segments
  if (segments.some((segment) => segment.startsWith('.'))) return 'hidden files are never exported'
  if (segments.includes('node_modules')) return 'node_modules are never exported'
  if (foldersLeftOut.has(first)) return `the folder ${first}/ is never exported`
  return database.test(path) ? 'databases are never exported' : undefined
}
