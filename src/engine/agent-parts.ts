import type { AgentPlan } from '../domain/agent.ts'
import type { World } from '../domain/clock.ts'
import type { EventPlace } from '../domain/event.ts'
import type { PriceBook } from '../domain/invoker.ts'
import type { Observe } from '../domain/observation.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import type { ToolSource } from '../domain/tool-source.ts'
import type { Span } from '../domain/tracing.ts'
import type { Tell } from './announce.ts'
import type { EngineParts } from './engine-parts.ts'
import type { Meter } from './meter.ts'
import type { CallJournal } from './run-journal.ts'
import type { SessionRecorder } from './session-recorder.ts'

/** What a live agent is given for its one call. */
export interface AgentParts {
  readonly plan: AgentPlan
  readonly world: World
  readonly prices: PriceBook
  readonly toolSource: ToolSource
  /** Left undefined when nobody counts. */
  readonly observe: Observe | undefined
  readonly recorder: SessionRecorder
  readonly signal: AbortSignal
  readonly deadlineAtMs: number
  readonly meter: Meter
  readonly place: EventPlace
  /** Left undefined when nobody listens. */
  readonly tell: Tell | undefined
  /** Of a run. */
  readonly journal: CallJournal | undefined
  /** Of the call. */
  readonly span: Span
  /** Says why a provider may not be sent to the address of an image. Left undefined: it may be sent anywhere. */
  readonly judgeImageUrl: EngineParts['judgeImageUrl']
  findPrompt(path: string): AnyPrompt
  /** Does work that whoever closes the session waits for. Once the call has been stopped, nothing is begun any more. */
  begin<Value>(work: () => Promise<Value>): Promise<Value>
}
