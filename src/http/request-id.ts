import type { IncomingMessage } from 'node:http'
import type { NewId } from '../domain/clock.ts'

const soundId = /^[A-Za-z0-9._-]{1,128}$/

/** The id that the client gave its request, if it is sound, else a new one. */
export function requestIdOf(raw: Pick<IncomingMessage, 'headers'>, newId: NewId): string {
  const given = raw.headers['x-request-id']
  return typeof given === 'string' && soundId.test(given) ? given : newId()
}
