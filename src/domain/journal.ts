/**
 * The journal of a run: what its calls came to, so that the run can be executed again without asking for any of it twice. An
 * entry is found by the content of what was asked, not by its place in time: branches that run in parallel cannot be mixed up.
 */

/**
 * `model`: a request to a provider. `tool`: a call of a tool. `remote`: a call of another service's tactic. `value`: something that the
 * author wants to be steady, such as the time.
 */
export type JournalKind = 'model' | 'tool' | 'remote' | 'value'

/**
 * - `begun`: it was asked for. Found by a later attempt, it is lost: nobody knows what it came to, nor what it cost.
 * - `done`: it came to something, which is used again.
 * - `failed`: it failed, which is used again, until somebody resumes the run.
 * - `spent`: what it came to is never used again; but it was paid for.
 */
export type JournalState = 'begun' | 'done' | 'failed' | 'spent'

export interface JournalEntry {
  /** Hash of what was asked, and how often the same had been asked before: `3f…9a.0`. At most 80 characters. */
  readonly key: string
  readonly kind: JournalKind
  readonly state: JournalState
  /** What is known of it, as JSON, in a shape that is the engine's business. */
  readonly record: string
}

/** Where a journal is kept, for one attempt of one run. */
export interface JournalWriter {
  /**
   * Writes entries, in the place of those with the same keys. Once it resolves they survive a kill of the process.
   *
   * Rejects with an LllmError `run-fenced` when another attempt has begun: then nothing was written, and nothing may be paid for any
   * more. While the storage fails it waits, and does not reject with anything else.
   */
  write(entries: readonly JournalEntry[]): Promise<void>
}
