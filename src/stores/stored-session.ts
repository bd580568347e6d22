import { type CostLine, costLines } from '../domain/cost-report.ts'
import { LllmError } from '../domain/errors.ts'
import { countLlmCalls, type Session } from '../domain/session.ts'
import { writeSessionRecord } from '../domain/session-record.ts'
import type { SessionSummary } from '../domain/session-store.ts'
import { defaultTenant } from '../domain/tenant.ts'

/** What a store keeps of a session: the narrow part that lists and costs are made from, and the whole as text. */
export interface StoredSession {
  readonly tenant: string
  readonly summary: SessionSummary
  readonly lines: readonly CostLine[]
  /** The session record as JSON. Lone surrogates and NUL are escaped in it, so every storage takes it as it is. An empty text: it is not kept any more. */
  readonly record: string
}

/** @throws LllmError `store-unavailable`, permanently, when the session holds a value that JSON cannot carry. */
export function toStoredSession(session: Session, record = toJson(session)): StoredSession {
  return {
    tenant: session.tenant ?? defaultTenant,
    summary: {
      id: session.id,
      tactic: session.tactic,
      tacticId: session.tacticId,
      state: session.state,
      startedAtMs: session.startedAtMs,
      durationMs: session.endedAtMs - session.startedAtMs,
      agentCalls: session.agentCalls.length,
      subTacticCalls: session.subSessions.length,
      llmCalls: countLlmCalls(session),
      cost: session.cost,
      tags: session.tags,
    },
    lines: costLines(session),
    record,
  }
}

function toJson(session: Session): string {
  try {
    return writeSessionRecord(session)
  } catch (cause) {
    const message =
      'The session cannot be stored: it holds a value that JSON cannot carry, or is too large for one text.'
    throw new LllmError('store-unavailable', message, { isPermanent: true }, { cause })
  }
}
