import type { CostLine } from '../domain/cost-report.ts'
import type { CostGroup, CostReport, SessionFilter, SessionPage, SessionPosition } from '../domain/session-store.ts'
import type { SessionRows } from './session-rows.ts'

/** A session of a batch that could not be written, while others of the batch may have been. */
export interface SaveRefusal {
  /** Its place in the batch. */
  readonly index: number
  readonly error: unknown
}

/**
 * Sessions as a relational database sees them, those of one tenant wherever some are read or deleted. It is what a store is made from, whichever side of a thread it is on:
 * all that goes in and comes out is plain data.
 */
export interface SessionTables {
  /**
   * Writes a batch as one transaction, or, where one of its sessions spoils that, one by one. What is not named in the
   * answer has been written. When it rejects, nothing has.
   */
  saveAll(batch: readonly SessionRows[]): Promise<readonly SaveRefusal[]>
  /** The session record as JSON text. */
  recordOf(tenant: string, id: string): Promise<string | undefined>
  findIds(tenant: string, prefix: string, limit: number): Promise<readonly string[]>
  delete(tenant: string, id: string): Promise<boolean>
  list(tenant: string, filter: SessionFilter, limit: number, after?: SessionPosition): Promise<SessionPage>
  costOf(tenant: string, id: string): Promise<readonly CostLine[] | undefined>
  costs(tenant: string, filter: SessionFilter, groupBy: readonly CostGroup[]): Promise<CostReport>
  /** Sums in advance some of what `costs` would read of the same filter and groups. Resolves to whether there may be more of it. */
  sumCosts(tenant: string, filter: SessionFilter, groupBy: readonly CostGroup[]): Promise<boolean>
  /** Settles what has been answered by another thread, though the event loop has not come to it yet. */
  takeReplies?(): void
  /** Rejects when nothing can be written now. */
  ping(): Promise<void>
  close(): Promise<void>
}
