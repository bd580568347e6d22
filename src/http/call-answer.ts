import { costUsd } from '../domain/cost.ts'
import type { Session } from '../domain/session.ts'
import { toSessionRecord, toSummaryRecord } from '../domain/session-record.ts'
import type { ReturnSession } from './call-request.ts'

/** The answer to a call that succeeded. */
export function toCallAnswer(output: unknown, session: Session, returnSession: ReturnSession) {
  return {
    result: output ?? null,
    session_id: session.id,
    cost_usd: costUsd(session.cost),
    ...sessionMember(session, returnSession),
  }
}

/** The `session` member, where one was asked for. */
export function sessionMember(session: Session, returnSession: ReturnSession) {
  if (returnSession === false) return {}
  return { session: returnSession === 'summary' ? toSummaryRecord(session) : toSessionRecord(session) }
}
