import { addCosts, type Cost, noCost } from './cost.ts'
import { reachedProvider, type Session } from './session.ts'

/** What one agent of one tactic spent on one model in one session. */
export interface CostLine {
  readonly tactic: string
  readonly tacticId: string
  readonly agent: string
  readonly model: string
  /** Requests that reached a provider. */
  readonly llmCalls: number
  readonly cost: Cost
}

/** The lines of a session's tree, in order of first use. Their sum is exactly the session's cost. */
export function costLines(session: Session): readonly CostLine[] {
  const lines = new Map<string, CostLine>()
  collect(session, lines)
  return [...lines.values()]
}

function collect(session: Session, lines: Map<string, CostLine>) {
  for (const { agent, llmCalls } of session.agentCalls) {
    for (const call of llmCalls) {
      const { model, cost } = call
      const key = JSON.stringify([session.tacticId, agent, model])
      const line = lines.get(key) ?? {
        tactic: session.tactic,
        tacticId: session.tacticId,
        agent,
        model,
        llmCalls: 0,
        cost: noCost,
      }
      const count = line.llmCalls + (reachedProvider(call) ? 1 : 0)
      lines.set(key, { ...line, llmCalls: count, cost: addCosts([line.cost, cost]) })
    }
  }
  for (const child of session.subSessions) collect(child, lines)
}
