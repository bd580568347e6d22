import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ErrorCode, LllmError } from '../domain/errors.ts'

/** Whether a file is a module of the author's own: not a declaration, not a test, and no shared code (`_name`). */
export function isAuthorsModule(fileName: string): boolean {
  return /\.(?:ts|mts|js|mjs)$/.test(fileName) && !/^_|\.(?:d|test|test-d|spec)\./.test(fileName)
}

/**
 * Imports a module of the author's. What it throws on loading is told with the name of its file: it is the operator who
 * reads it, at the start.
 *
 * @throws LllmError with the given code.
 */
export async function importModule(file: string, code: ErrorCode): Promise<ReadonlyMap<string, unknown>> {
  try {
    const module: object = await import(pathToFileURL(file).href)
    return new Map(Object.entries(module))
  } catch (error) {
    throw new LllmError(code, `${file}: It could not be loaded: ${tell(error)}`, { file }, { cause: error })
  }
}

function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // The stack of a syntax error may begin with its place, which may be in a file that this one imports.
  const [, origin, line] = /^((?:file:|\/|[A-Za-z]:\\)[^\n]*):(\d+)\n/.exec(error.stack ?? '') ?? []
  if (origin === undefined) return error.message
  return `${error.message} (${origin.startsWith('file:') ? fileURLToPath(origin) : origin}:${line})`
}
