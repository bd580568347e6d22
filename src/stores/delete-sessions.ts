import type { Transaction } from 'kysely'
import type { SessionDatabase } from './sql-schema.ts'

/**
 * Removes sessions with all that is kept of them, and resolves to how many there were. Whoever removes one comes here, so that whatever is
 * made of sessions is looked after in one place.
 *
 * @param ids At most 1,000.
 */
export async function deleteSessions(
  transaction: Transaction<SessionDatabase>,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return 0
  const { numDeletedRows } = await transaction.deleteFrom('sessions').where('id', 'in', ids).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
