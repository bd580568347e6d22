import type { AgentPlan, ModelChoice } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { RetryRecord } from '../domain/session.ts'
import type { Span } from '../domain/tracing.ts'
import type { AgentObserver } from './agent-observer.ts'
import type { AgentAnnouncer } from './announce.ts'
import type { ChatSpan } from './chat-span.ts'
import type { Meter } from './meter.ts'
import type { CallJournal } from './run-journal.ts'
import type { AgentCallRecorder } from './session-recorder.ts'

/** What every model call of an agent has in common. */
export interface Asking {
  readonly plan: AgentPlan
  readonly world: World
  readonly prices: PriceBook
  readonly recorder: AgentCallRecorder
  /** Left undefined when nobody listens: then replies are not streamed. */
  readonly announcer: AgentAnnouncer | undefined
  /** Left undefined when nobody counts. */
  readonly observer: AgentObserver | undefined
  readonly signal: AbortSignal
  /** Of the `respond()`. */
  readonly span: Span
  /** When the call runs out of its time, in ms since 1970; Infinity: never. */
  readonly deadlineAtMs: number
  readonly meter: Meter
  /** Of a run: what was asked before, and what later attempts will want to know. */
  readonly journal: AgentJournal | undefined
}

/** The part of a journal that belongs to one `respond()`. */
export interface AgentJournal extends CallJournal {
  readonly agent: string
  readonly dialog: string
}

/** Where in a `respond()` a request belongs. Attempts are counted over all tries of the step, whatever their reason. */
export interface StepCount {
  readonly step: number
  nextAttempt: number
  /** Which model is asked: 0 is the agent's own, then come those that stand in for it. The step stays with it. */
  choice: number
  /** How often this model has been recalled, over all tries of the step. */
  recalls: number
  /** Of the model that is being asked, from its first request on that is not replayed. */
  chat?: ChatSpan | undefined
  /** Whether the last request was answered by the journal: what came of it was counted when it was made. */
  isReplayed: boolean
}

/** Which model a step asks. */
export function chosenModel(plan: AgentPlan, { choice }: Pick<StepCount, 'choice'>): ModelChoice {
  return plan.fallbacks[choice - 1] ?? plan
}

/** A simulated model is named as such wherever models are named. */
export function modelName({ invoker, model }: ModelChoice): string {
  return invoker.simulated ? `simulated/${model}` : model
}

/** Tells that a model is asked again, or another one in its place. */
export function observeRetry({ observer, plan }: Asking, reason: RetryRecord['kind'], count: StepCount): void {
  if (!count.isReplayed) observer?.retried(reason, modelName(chosenModel(plan, count)))
}
