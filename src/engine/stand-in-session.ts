import type { World } from '../domain/clock.ts'
import type { Cost } from '../domain/cost.ts'
import type { LllmError } from '../domain/errors.ts'
import type { AgentCall, EndReason, Session } from '../domain/session.ts'

/** What is known of a remote call whose own session could not be had. */
export interface KnownOfCall {
  readonly id: string
  readonly tactic: string
  readonly task: unknown
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly error: LllmError
  readonly endReason: EndReason | null
  readonly cost: Cost
  readonly newId: World['newId']
}

/** How the parts are named that nobody knows. */
const unknown = 'remote'

/** A session in the place of the one that a remote call has. What it may have cost is one call of a model that nobody knows. */
export function standInSession(known: KnownOfCall): Session {
  const { id, tactic, task, startedAtMs, endedAtMs, error, cost } = known
  const wasSpent = cost.pricedCalls + cost.unpricedCalls > 0
  const endReason = known.endReason ?? (error.code === 'budget-exceeded' ? 'budget' : null)
  return {
    id,
    tactic,
    tacticId: tactic.includes('::') ? tactic : `${unknown}::${tactic}`,
    state: endReason === null || endReason === 'budget' ? 'failure' : 'cancelled',
    endReason,
    startedAtMs,
    endedAtMs,
    task,
    result: null,
    error: { code: error.code, message: error.message },
    tags: {},
    metadata: {},
    config: { name: unknown, hash: '' },
    simulated: false,
    agentCalls: wasSpent ? [unknownCall(known)] : [],
    subSessions: [],
    cost,
  }
}

function unknownCall({ startedAtMs, endedAtMs, error, cost, newId }: KnownOfCall): AgentCall {
  const durationMs = endedAtMs - startedAtMs
  return {
    id: newId(),
    agent: unknown,
    dialog: unknown,
    state: 'failure',
    startedAtMs,
    durationMs,
    cost,
    llmCalls: [
      {
        id: newId(),
        step: 0,
        attempt: 0,
        invoker: unknown,
        model: 'unknown',
        startedAtMs,
        durationMs,
        request: { messages: [], args: {}, tools: [] },
        response: null,
        usage: null,
        cost,
        error: { code: error.code, message: 'What was asked of models is not known here, nor all that it cost.' },
      },
    ],
    toolCalls: [],
    retries: [],
    delivery: null,
  }
}
