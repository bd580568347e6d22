import type { IdempotencyStore, KeyClaim, KeyedRequest } from '../domain/idempotency-store.ts'
import type { KeyHolder } from './key-row.ts'

/** Keys as a relational database sees them. Errors are the database's own. */
export type IdempotencyTables = {
  claimKey(request: KeyedRequest, owner: string): Promise<KeyClaim>
  readonly completeKey: IdempotencyStore['complete']
  readonly releaseKey: IdempotencyStore['release']
  beatKeys(owner: string): Promise<void>
  readonly forgetKeys: IdempotencyStore['forget']
}

/** A store on tables whose errors are what the port promises. */
export function createTableIdempotencyStore(
  tables: IdempotencyTables,
  { owner, isShared }: KeyHolder,
): IdempotencyStore {
  return {
    isShared,
    claim: (request) => tables.claimKey(request, owner),
    complete: (use, answer) => tables.completeKey(use, answer),
    release: (use) => tables.releaseKey(use),
    beat: () => tables.beatKeys(owner),
    forget: (limit) => tables.forgetKeys(limit),
  }
}
