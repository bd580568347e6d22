/** The database file is not one that this program can use. The message says why and what to do. */
export class SqliteFileUnusable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SqliteFileUnusable'
  }
}

/** Primary result codes of SQLite (sqlite.org/rescode.html). An extended code carries one in its lowest byte. */
const resultCodes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  range: 25,
  notADatabase: 26,
} as const

const { busy, locked, readOnly, inputOutput, corrupt, full, cannotOpen, tooBig, constraint, mismatch, range } =
  resultCodes
const rowCodes: ReadonlySet<number> = new Set([tooBig, constraint, mismatch, range])
const lockCodes: ReadonlySet<number> = new Set([busy, locked])

const advice: ReadonlyMap<number | string, string> = new Map<number | string, string>([
  [busy, 'Another process holds the lock of the database file. Let one process at a time use it.'],
  [locked, 'Another process holds the lock of the database file. Let one process at a time use it.'],
  [readOnly, 'The database file or its folder cannot be written. Give the user of this process the right to.'],
  [inputOutput, 'The disk of the database file failed to read or write. Check the disk and its mount.'],
  [corrupt, 'The database file is damaged. Restore it from a backup, or move it away to begin with an empty one.'],
  [full, 'There is no space left for the database file. Free some, and saving goes on by itself.'],
  [
    cannotOpen,
    'The database file cannot be opened. Check that its folder exists and that this process may write there.',
  ],
  [tooBig, 'The session is too large for the database.'],
  [resultCodes.notADatabase, 'The file is not a SQLite database. Choose another file, or move this one away.'],
  ['EACCES', 'The folder of the database file cannot be made or read. Give the user of this process the right to.'],
  ['EPERM', 'The folder of the database file cannot be made or read. Give the user of this process the right to.'],
  [
    'EROFS',
    'The folder of the database file is on a read-only file system. Choose another one, or mount it for writing.',
  ],
  ['ENOTDIR', 'A part of the path of the database file is a file, not a folder. Choose another path.'],
  ['EEXIST', 'A part of the path of the database file is a file, not a folder. Choose another path.'],
  ['ENOSPC', 'There is no space left for the database file. Free some, and saving goes on by itself.'],
])

/** Says what is wrong and what to do, without quoting the error, which may name paths or values. */
export function explainSqliteError(error: unknown): string {
  if (error instanceof SqliteFileUnusable) return error.message
  return advice.get(codeOf(error)) ?? 'The session store failed. The log has the cause.'
}

/** Whether an error is about the values of a row, so that other rows may still be written. */
export function isAboutRow(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ERR_INVALID_ARG_TYPE' || (typeof code === 'number' && rowCodes.has(code))
}

/** Whether the connection cannot be relied on any more: whatever is neither about a row nor a lock that was held. */
export function isAboutConnection(error: unknown): boolean {
  return !isAboutRow(error) && !isAboutLock(error)
}

/** Whether somebody else holds the lock of the file. */
export function isAboutLock(error: unknown): boolean {
  const code = codeOf(error)
  return typeof code === 'number' && lockCodes.has(code)
}

/** SQLite's primary result code where there is one, else the code that Node gives. */
function codeOf(error: unknown): number | string {
  if (typeof error !== 'object' || error === null) return ''
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
