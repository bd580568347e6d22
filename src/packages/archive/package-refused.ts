import { LllmError } from '../../domain/errors.ts'

/** What stands in the way of an export, an install or a removal, and what would be right. */
export function packageRefused(message: string, cause?: unknown): LllmError {
  return new LllmError('package-refused', message, {}, { cause })
}
