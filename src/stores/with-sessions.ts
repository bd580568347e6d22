import type { Transaction } from 'kysely'
import type { RunTransaction } from './run-dialect.ts'
import type { SessionDatabase } from './sql-schema.ts'

/** The same transaction, as those see it who write sessions. */
export function withSessions(transaction: RunTransaction): Transaction<SessionDatabase> {
  return transaction as unknown as Transaction<SessionDatabase>
}
