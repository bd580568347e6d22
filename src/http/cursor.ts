import { z } from 'zod'
import type { SessionPosition } from '../domain/session-store.ts'
import { sessionId } from './fields.ts'

const position = z.tuple([z.int().min(0), sessionId])

/** A place in a list, as text that says nothing to whoever carries it. */
export function toCursor({ startedAtMs, id }: SessionPosition): string {
  return Buffer.from(JSON.stringify([startedAtMs, id])).toString('base64url')
}

/** Reads a cursor back, and refuses what was never one. */
export const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,256}$/, 'must be the next_cursor of an earlier page')
  .transform((text, context): SessionPosition => {
    const read = position.safeParse(readJson(Buffer.from(text, 'base64url').toString()))
    if (read.success) return { startedAtMs: read.data[0], id: read.data[1] }
    context.addIssue('must be the next_cursor of an earlier page')
    return z.NEVER
  })

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
