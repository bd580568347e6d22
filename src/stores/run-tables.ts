import type { RunLease } from '../domain/run.ts'
import type { RunEnd, RunStore, RunWrite, TenantRunStore } from '../domain/run-store.ts'
import type { ScheduleTick, TickAnswer } from '../domain/schedule-tick.ts'
import type { CallByName } from './named-methods.ts'
import type { RetentionTables } from './retention-tables.ts'
import type { SessionRows } from './session-rows.ts'
import type { WebhookTables } from './webhook-tables.ts'

/** One write among several that share a transaction. */
export interface LeasedWrite extends RunWrite {
  readonly lease: RunLease
}

/** The end of a run, with the rows of its session where they are kept in the same database. */
export interface RunEndRows extends Omit<RunEnd, 'session'> {
  readonly session: Pick<RunEnd['session'], 'state' | 'endedAtMs' | 'result' | 'error' | 'cost'>
  readonly llmCalls: number
  readonly rows: SessionRows | null
}

type Shared = Pick<RunStore, 'submit' | 'lastTicks' | 'claim' | 'beat' | 'history' | 'counts'>

/** A method of one tenant's runs, as those have it who are told each time whose runs are meant. */
type ForTenant<Method> = Method extends (...args: infer Args) => infer Result
  ? (tenant: string, ...args: Args) => Result
  : never

type OfTenants = { readonly [Name in Exclude<keyof TenantRunStore, 'cancelBatch'>]: ForTenant<TenantRunStore[Name]> }

/** Runs of which somebody wants that they end. */
export interface CancelledRuns {
  /** Those that were cancelled at once. */
  readonly cancelled: readonly string[]
  /** How many others are asked to end. */
  readonly asked: number
}

/**
 * Runs as a relational database sees them. All that goes in and comes out is plain data, whichever side of a thread it is on; a lease
 * that is lost is an answer, not an error. Errors are the database's own.
 */
export interface RunTables extends Shared, OfTenants, WebhookTables, RetentionTables {
  /** Writes for several attempts in one transaction. Gives the places of those that are not under way any more: they wrote nothing. */
  writeAll(writes: readonly LeasedWrite[]): Promise<readonly number[]>
  /** False: the attempt is not under way. */
  finish(lease: RunLease, end: RunEndRows): Promise<boolean>
  /** False: the attempt is not under way. */
  release(lease: RunLease): Promise<boolean>
  /** Undefined: there is no such batch. */
  cancelBatch(tenant: string, id: string, reason: string): Promise<CancelledRuns | undefined>
  /** With the earlier runs that it has cancelled. */
  startTick(tick: ScheduleTick): Promise<CancelledRuns & { readonly answer: TickAnswer }>
}

/** The names of all methods, for whoever passes them on. */
export const runMethods = [
  'submit',
  'startTick',
  'lastTicks',
  'get',
  'list',
  'delete',
  'claim',
  'beat',
  'history',
  'cancel',
  'resume',
  'events',
  'batch',
  'batches',
  'batchRuns',
  'countQueued',
  'counts',
  'writeAll',
  'finish',
  'release',
  'cancelBatch',
  'claimDeliveries',
  'recordDelivery',
  'deliveriesOf',
  'redeliver',
  'clean',
  'withoutRuns',
] as const satisfies readonly (keyof RunTables)[]

export type CallRuns = CallByName<RunTables>
