import { z } from 'zod'
import { LllmError } from '../domain/errors.ts'
import { sessionId } from './fields.ts'
import { pathParameter } from './openapi/parameters.ts'
import { parse } from './parse.ts'

const params = z.strictObject({ id: sessionId })

export const sessionIdParameter = pathParameter('id', 'The id of the session.')

/** @throws LllmError `invalid-parameter` */
export function parseSessionId(given: unknown): string {
  return parse(params, given, 'path').id
}

export function unknownSession(id: string): LllmError {
  return new LllmError('unknown-session', `There is no session with the id ${id}.`)
}
