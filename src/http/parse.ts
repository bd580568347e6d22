import type { z } from 'zod'
import { type ErrorCode, type Issue, LllmError } from '../domain/errors.ts'
import { jsonPointer } from '../domain/json.ts'

/** The part of a request that is judged. Pointers into the body begin at its root; those elsewhere name the part. */
export type RequestPart = 'body' | 'query' | 'path' | 'header'

/** At most this many issues are told at once. */
const issuesMax = 20
const issuesInDetailMax = 3

/**
 * Judges a part of a request by its schema.
 *
 * @throws LllmError `invalid-request` for the body and `invalid-parameter` elsewhere, each with its issues.
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.output<S> {
  const parsed = schema.safeParse(value, { reportInput: false })
  if (parsed.success) return parsed.data
  const prefix = part === 'body' ? '' : `/${part}`
  throw unfit(
    part === 'body' ? 'invalid-request' : 'invalid-parameter',
    parsed.error.issues.flatMap((issue) => toIssues(issue, prefix)),
  )
}

/** An error that tells the first few issues in words and the first {@link issuesMax} as data. */
export function unfit(code: ErrorCode, issues: readonly Issue[]): LllmError {
  const told = issues.slice(0, issuesInDetailMax).map(({ pointer, message }) => `${pointer || 'the whole'}: ${message}`)
  const more = issues.length > issuesInDetailMax ? '; …' : ''
  return new LllmError(code, `The request does not fit: ${told.join('; ')}${more}`, {
    issues: issues.slice(0, issuesMax),
  })
}

function toIssues(issue: z.core.$ZodIssue, prefix: string): readonly Issue[] {
  const at = (path: readonly PropertyKey[]) => prefix + jsonPointer(path)
  switch (issue.code) {
    case 'unrecognized_keys': {
      // One issue for each key, so that each has a pointer to it.
      const unknownKeys = issue.keys.slice(0, issuesMax)
      return unknownKeys.map((key) => ({ pointer: at([...issue.path, key]), message: 'is not a known field' }))
    }
    case 'invalid_key':
      return [{ pointer: at(issue.path), message: issue.issues[0]?.message ?? issue.message }]
    default:
      return [{ pointer: at(issue.path), message: issue.message }]
  }
}
