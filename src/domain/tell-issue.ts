import type { z } from 'zod'
import { listKnown } from './errors.ts'
import { jsonPointer } from './json.ts'

/** A mistake in a value, with its place as a JSON Pointer. Of many unknown keys the first is told, however many there are. */
export function tellIssue(issue: z.core.$ZodIssue, knownAtTop: readonly string[] = []): string {
  if (issue.code !== 'unrecognized_keys') return `${jsonPointer(issue.path) || 'It'}: ${issue.message}.`
  const [key = ''] = issue.keys
  const known = issue.path.length === 0 && knownAtTop.length > 0 ? ` ${listKnown(key, knownAtTop)}` : ''
  return `${jsonPointer([...issue.path, key])} is not known.${known}`
}
