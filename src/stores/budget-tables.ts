import type { KeyStore } from '../domain/api-key.ts'
import type { BudgetStore } from '../domain/budget-store.ts'
import type { IdempotencyStore } from '../domain/idempotency-store.ts'
import type { RetentionStore } from '../domain/retention.ts'
import type { RunStore } from '../domain/run-store.ts'
import type { SessionStore } from '../domain/session-store.ts'
import type { SharedRates } from '../domain/shared-rates.ts'
import type { WebhookStore } from '../domain/webhook-store.ts'
import type { IdempotencyTables } from './idempotency-tables.ts'
import type { CallKeys } from './key-tables.ts'
import type { CallRuns } from './run-tables.ts'
import type { SessionTables } from './session-tables.ts'

/** Allocations as a relational database sees them, beside the sessions in the same one. Errors are the database's own. */
export type BudgetTables = {
  readonly loadAllocations: BudgetStore['load']
  readonly changeAllocations: BudgetStore['change']
  readonly forgetAllocations: BudgetStore['forget']
}

/** All tables of a database, as one side of a thread offers them to the other. */
export interface StoreTables extends SessionTables, BudgetTables, IdempotencyTables {
  /** Calls a method of the tables of runs by its name. */
  readonly callRuns: CallRuns
  /** Calls a method of the tables of keys by its name. */
  readonly callKeys: CallKeys
}

/** A session store, and the other stores that share its storage. Closing the one closes the others. */
export interface StoreWithBudgets extends SessionStore {
  readonly budgets: BudgetStore
  readonly idempotency: IdempotencyStore
  readonly runs: RunStore
  readonly webhooks: WebhookStore
  readonly keys: KeyStore
  readonly retention: RetentionStore
  /** What several processes use of providers together, where they can share the storage. */
  readonly rates?: SharedRates
}

/** A budget store on tables whose errors are what the port promises. */
export function createTableBudgetStore(tables: BudgetTables): BudgetStore {
  return {
    load: () => tables.loadAllocations(),
    change: (changes) => tables.changeAllocations(changes),
    forget: (endedByMs) => tables.forgetAllocations(endedByMs),
  }
}
