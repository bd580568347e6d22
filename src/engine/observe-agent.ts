import type { Observe } from '../domain/observation.ts'
import type { LlmCall, RetryRecord } from '../domain/session.ts'

/** Tells what one agent does, for the count. */
export interface AgentObserver {
  asked(call: Pick<LlmCall, 'model' | 'durationMs' | 'cost' | 'error'>): void
  retried(reason: RetryRecord['kind'], model: string): void
  toolEnded(isOk: boolean): void
}

export function observeAgent(observe: Observe, tactic: string, agent: string): AgentObserver {
  return {
    asked: ({ model, durationMs, cost, error }) =>
      observe({ type: 'model.asked', tactic, agent, model, outcome: error?.code ?? 'ok', durationMs, cost }),
    retried: (reason, model) => observe({ type: 'model.retried', tactic, agent, model, reason }),
    toolEnded: (isOk) => observe({ type: 'tool.ended', tactic, agent, isOk }),
  }
}
