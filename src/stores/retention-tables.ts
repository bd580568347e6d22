import type { CleaningProgress, CleaningStep, RetentionStore } from '../domain/retention.ts'

/** What a step has removed, and of which runs, sessions or batches: none of those that it has not come to the end of. */
export interface CleaningRows extends CleaningProgress {
  readonly ids: readonly string[]
}

/** What is old, as a relational database sees it. Errors are the database's own. */
export interface RetentionTables {
  clean(step: CleaningStep): Promise<CleaningRows | 'busy'>
  /** Those of some ids that no run has. */
  withoutRuns(ids: readonly string[]): Promise<readonly string[]>
}

/** A store on tables whose errors are what the port promises. */
export function createTableRetentionStore(tables: RetentionTables): RetentionStore {
  return {
    async clean(step) {
      const rows = await tables.clean(step)
      return rows === 'busy' ? rows : { removed: rows.removed, nextId: rows.nextId }
    },
  }
}
