import type { Observe } from '../domain/observation.ts'
import type { LlmCall, RetryRecord } from '../domain/session.ts'

/** Tells what one agent does, for the count. */
export class AgentObserver {
  readonly #observe: Observe
  readonly #tactic: string
  readonly #agent: string

  constructor(observe: Observe, tactic: string, agent: string) {
    this.#observe = observe
    this.#tactic = tactic
    this.#agent = agent
  }

  asked({ model, durationMs, cost, error }: Pick<LlmCall, 'model' | 'durationMs' | 'cost' | 'error'>): void {
    const outcome = error?.code ?? 'ok'
    this.#observe({ type: 'model.asked', tactic: this.#tactic, agent: this.#agent, model, outcome, durationMs, cost })
  }

  retried(reason: RetryRecord['kind'], model: string): void {
    this.#observe({ type: 'model.retried', tactic: this.#tactic, agent: this.#agent, model, reason })
  }

  toolEnded(isOk: boolean): void {
    this.#observe({ type: 'tool.ended', tactic: this.#tactic, agent: this.#agent, isOk })
  }
}
