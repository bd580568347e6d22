import { z } from 'zod'
import { LllmError } from '../domain/errors.ts'
import type { TenantSessions } from '../domain/session-store.ts'
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

/** Why there is no session to show: there is none, or there is no more of it than its costs. */
export async function missingSession(store: Pick<TenantSessions, 'costOf'>, id: string): Promise<LllmError> {
  if ((await store.costOf(id)) === undefined) return unknownSession(id)
  return new LllmError(
    'session-expired',
    `What happened in session ${id} is not kept any more. Its costs are at /sessions/${id}/cost.`,
  )
}
