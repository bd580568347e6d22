import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import { canonicalJson } from '../domain/json.ts'
import { defaultTenant } from '../domain/tenant.ts'

export const keyHeader = 'idempotency-key'
export const keyLengthMax = 255
const keyPattern = new RegExp(`^[\\x21-\\x7e]{1,${keyLengthMax}}$`)
/** A string of RFC 9651, in which quotes and backslashes have a backslash before them. */
const quotedPattern = /^"(?:[^"\\]|\\["\\])*"$/

/**
 * The key of an `Idempotency-Key` header: a string in quotes, as the draft of the IETF has it, or the same without.
 *
 * @throws LllmError `invalid-parameter`
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string {
  const text = typeof header === 'string' ? header.trim() : ''
  const key = quotedPattern.test(text) ? text.slice(1, -1).replace(/\\(["\\])/g, '$1') : text
  const isHalfQuoted = text.startsWith('"') && key === text
  if (!isHalfQuoted && keyPattern.test(key)) return key
  throw unfitKey(
    `must be one key of 1 to ${keyLengthMax} visible ASCII characters, such as a UUID, with or without quotes`,
  )
}

export function unfitKey(message: string): LllmError {
  return new LllmError('invalid-parameter', `The Idempotency-Key ${message}.`, {
    issues: [{ pointer: `/header/${keyHeader}`, message }],
  })
}

/**
 * Keys may tell something of those who made them: they are kept as hashes only. Those of two tenants never meet. The default tenant's are
 * hashed as they were before there were others, so that an upgrade of the service has nothing done twice; no key holds a NUL.
 */
export function hashKey(tenant: string, key: string): string {
  return sha256(tenant === defaultTenant ? key : `${tenant}\0${key}`)
}

/** What a request asks for: two that are to do the same have the same, however they are written. */
export function fingerprintOf({ method, body, query }: FastifyRequest, tacticId: string, suffix: string): string {
  return sha256(canonicalJson([method, tacticId, suffix, query, body]))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
