/**
 * What is removed when its time is over, each by itself:
 *
 * - `events`: what was told of runs that have ended.
 * - `run-texts`: what runs that have ended were about and came to, with their journals, events and webhook deliveries, and with the texts
 *   of their sessions.
 * - `session-texts`: those of sessions without a run. Their costs, and their places in lists, stay.
 * - `runs`: runs that have ended, with all that is kept of them, their sessions too.
 * - `sessions`: those without a run, with their costs.
 * - `batches`: batches of runs none of whose runs is left.
 */
export type RetentionPart = 'events' | 'run-texts' | 'session-texts' | 'runs' | 'sessions' | 'batches'

/** A step looks at so many things of its part, and removes so many rows of events and journals, at the most. */
export const cleaningRowsMax = 300

export interface CleaningStep {
  readonly part: RetentionPart
  /** In ms since 1970. What began later is kept; so is a run that ended later. */
  readonly beforeMs: number
  /** Where it goes on: after this id. An empty text: at the oldest. */
  readonly afterId: string
  /** 1..{@link cleaningRowsMax} */
  readonly rowsMax: number
}

export interface CleaningProgress {
  /** How many events, runs, sessions or batches there is less of now, or of how many the texts are gone. */
  readonly removed: number
  /** Where the next step goes on; null: nothing more of the part is old enough. */
  readonly nextId: string | null
}

/**
 * Removes what is old in small steps, oldest first. Age is told by ids, which are UUIDv7. What has not ended is never touched.
 *
 * Rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else; a step that failed has removed nothing.
 */
export interface RetentionStore {
  /** Takes one step; `busy`: another process is taking one, and nothing was done. */
  clean(step: CleaningStep): Promise<CleaningProgress | 'busy'>
}

/** The smallest id of all that were made at a time or later. */
export function firstIdOf(timeMs: number): string {
  const hex = Math.max(0, Math.trunc(timeMs)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
