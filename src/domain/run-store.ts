import type { JournalEntry } from './journal.ts'
import type {
  KeptRun,
  NewRun,
  NewRunBatch,
  Run,
  RunBatch,
  RunKey,
  RunLease,
  RunState,
  RunSummary,
  StoredRunEvent,
} from './run.ts'
import type { ClaimRequest, RunBeat } from './run-claim.ts'
import type { LastTick, ScheduleTick, TickAnswer } from './schedule-tick.ts'
import type { Session } from './session.ts'
import type { StoreContent } from './store-content.ts'

/** Which runs are meant. All that is given has to hold. */
export interface RunFilter {
  readonly tactic?: string
  readonly state?: RunState
  readonly tags?: Readonly<Record<string, string>>
  readonly batchId?: string
}

/** Where a list goes on: after the run that was created then, with this id. */
export interface RunPosition {
  readonly createdAtMs: number
  readonly id: string
}

export interface RunPage {
  readonly data: readonly RunSummary[]
  readonly next: RunPosition | null
}

export interface Submission {
  /** At most 100,000. */
  readonly runs: readonly NewRun[]
  readonly batch?: NewRunBatch
}

/** What an attempt finds of those before it. */
export interface RunHistory {
  readonly journal: readonly JournalEntry[]
  /** All events but the pieces of replies, in their order. */
  readonly events: readonly StoredRunEvent[]
  /** The largest number of any event; 0 where there is none. */
  readonly lastSeq: number
}

/** What is written while a run is under way. */
export interface RunWrite {
  readonly journal?: readonly JournalEntry[]
  readonly events?: readonly StoredRunEvent[]
}

/** How an attempt ends that nobody needs to go on with. */
export interface RunEnd {
  /** Becomes the session of the run. Its id is the run's. */
  readonly session: Session
  /** What the run came to, where its session does not say it. */
  readonly outcome?: NonNullable<Run['outcome']>
  /** Takes the place of what was asked for. Left out: all of it is kept. */
  readonly request?: KeptRun['request']
  /** `redacted`: pieces of replies are removed. `none`: so are tool calls, progress, and the journal. All is overwritten, where that can be. */
  readonly content?: StoreContent
  /** The last event: its `result` or its `error`, with the number that it has. */
  readonly event: StoredRunEvent
  /** Changes of the journal: of a success it is forgotten whole, whatever this says. */
  readonly journal: readonly JournalEntry[]
}

/**
 * - `cancelled`: it had never been started, and is cancelled now.
 * - `asked`: its owner will hear of it; where it has none, it is started once more, to be ended with what it has cost.
 * - `ended`: it had ended before. `unknown`: there is none.
 */
export type CancelAnswer = 'cancelled' | 'asked' | 'ended' | 'unknown'
/** `active`: it has not ended. `expired`: its texts are not kept any more. */
export type ResumeAnswer = 'resumed' | 'active' | 'succeeded' | 'expired' | 'unknown'
/** `active`: it has not ended. */
export type DeleteAnswer = 'deleted' | 'active' | 'unknown'

/** How much there is to do. */
export interface RunCounts {
  /** Runs that wait. */
  readonly queued: number
  /** Runs under way. */
  readonly running: number
  /** When the first of those that wait was due, or will be, in ms since 1970; null: none waits. */
  readonly oldestDueAtMs: number | null
}

/** Something has changed that somebody may wait for: there is a run to start, one is to be cancelled, or something of a run is new. */
export type RunChange =
  | { readonly kind: 'work' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'run'; readonly runId: string }

/** The runs of one tenant. Those of others are not there: neither in lists, nor by their ids. */
export interface TenantRunStore {
  get(id: string): Promise<Run | undefined>
  /** Newest first, by creation and then id. Pages stay in step while runs arrive. */
  list(filter: RunFilter, limit: number, after?: RunPosition): Promise<RunPage>
  /** Removes a run that has ended, with its journal, its events and its session. */
  delete(id: string): Promise<DeleteAnswer>

  /** A run that waits is cancelled at once: its last event is an `error` with the code `cancelled`. */
  cancel(id: string, reason: string): Promise<CancelAnswer>
  /**
   * Queues a run again that has failed or was cancelled. Its last event makes room for `run.resumed`, failed entries of its journal become
   * `spent`, and its session is removed until it ends again. From then on it is a run of `key`; left out: of none.
   */
  resume(id: string, key?: RunKey): Promise<ResumeAnswer>

  /** Events with numbers above `afterSeq`, in their order. */
  events(runId: string, afterSeq: number, limit: number): Promise<readonly StoredRunEvent[]>

  batch(id: string): Promise<RunBatch | undefined>
  /** Newest first. */
  batches(
    limit: number,
    after?: RunPosition,
  ): Promise<{ readonly data: readonly RunBatch[]; readonly next: RunPosition | null }>
  /** Runs of a batch with their outcomes, by their places in it, from `fromIndex` on. */
  batchRuns(batchId: string, fromIndex: number, limit: number): Promise<readonly Run[]>
  /** Cancels all runs of a batch that have not ended, and resolves to how many those were; undefined: there is no such batch. */
  cancelBatch(id: string, reason: string): Promise<number | undefined>
  /** How many runs wait, whether they are due or not; of more than `countMax`: that many. */
  countQueued(countMax: number): Promise<number>
}

/**
 * Keeps runs, their journals and their events. Several processes may share it. What is read and changed without saying whose it is, is the
 * default tenant's; whoever works on runs works on those of all.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else but what it says
 * itself; whether a change was made is then unknown, and making it again does no harm. Once a change resolves it survives a kill of the
 * process, where the store survives that at all. Any number of calls may be under way at once. How long somebody has been silent is told by
 * one clock for all: the storage's, where processes share it.
 */
export interface RunStore extends TenantRunStore {
  /** Adds runs, and their batch, all or none. An id that is there already is left alone. */
  submit(submission: Submission): Promise<void>
  /** Takes a tick of a schedule, and starts its run, all or nothing: of all processes that want to take it, one does. */
  startTick(tick: ScheduleTick): Promise<TickAnswer>
  /** The latest ticks of schedules, in no order. One of which no tick was ever taken is left out. */
  lastTicks(schedules: readonly string[]): Promise<readonly LastTick[]>
  of(tenant: string): TenantRunStore

  /**
   * Starts runs that are due. The next is one of the tenant with the fewest under way; of several such, of the one for whom this store has
   * started none for longest, then of the one who waits longest. Within a tenant those of higher priority go first, then those that are due
   * longest. A key that has as many under way as it may is passed over. Each start counts as one attempt.
   */
  claim(request: ClaimRequest): Promise<readonly KeptRun[]>
  /** Says that an owner is alive, and what it still owns. */
  beat(owner: string, leaseMs: number): Promise<readonly RunBeat[]>
  /** What earlier attempts have left. */
  history(runId: string): Promise<RunHistory>
  /** Writes for an attempt. Rejects with an LllmError `run-fenced`, and writes nothing, when it is not the one that is under way. */
  write(lease: RunLease, write: RunWrite): Promise<void>
  /** Ends an attempt, and the run with it: all or nothing. Rejects as `write`. */
  finish(lease: RunLease, end: RunEnd): Promise<void>
  /** Gives a run back, so that it is started again as soon as somebody has room. What was journalled is kept. Rejects as `write`. */
  release(lease: RunLease): Promise<void>

  /** How much there is to do. */
  counts(): Promise<RunCounts>

  /**
   * Calls back when something has changed, here or in another process; soon, but changes may be missed while the storage fails, so whoever
   * waits looks again from time to time. It never throws. The returned function ends it.
   */
  watch(onChange: (change: RunChange) => void): () => void

  /**
   * Makes this process the only one that works on the runs of the storage, where processes cannot share it. Rejects with an LllmError
   * `store-unavailable` that says what to do when another one does.
   */
  own(): Promise<void>
  /** Whether several processes may work on the runs. */
  readonly isShared: boolean
}
