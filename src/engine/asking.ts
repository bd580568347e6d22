import type { AgentPlan } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { Span } from '../domain/tracing.ts'
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
}
