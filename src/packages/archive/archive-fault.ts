import { LllmError } from '../../domain/errors.ts'
import { showPath } from './entry-name.ts'

/** An archive that is not to be installed, and why. */
export function archiveFault(archive: string, message: string, cause?: unknown): LllmError {
  return new LllmError('invalid-archive', `${archive}: ${message}`, { file: archive }, { cause })
}

/** The same where one of its entries is the reason. */
export function entryFault(archive: string, entry: string, reason: string, cause?: unknown): LllmError {
  return archiveFault(archive, `The entry ${showPath(entry)} is refused: ${reason}.`, cause)
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
