import type { EventPlace } from '../domain/event.ts'
import type { Span } from '../domain/tracing.ts'
import type { Tell } from './announce.ts'
import type { Meter } from './meter.ts'
import type { CallJournal } from './run-journal.ts'
import type { SessionRecorder } from './session-recorder.ts'

/** What everything that happens in one call has in common. */
export interface CallParts {
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
}
