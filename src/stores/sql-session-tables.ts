import type { Kysely } from 'kysely'
import { summedTag } from './cost-tags.ts'
import { deleteSessions } from './delete-sessions.ts'
import type { SessionTables } from './session-tables.ts'
import { createBatchWriter } from './sql-batch-writer.ts'
import { sumSomeCosts } from './sql-cost-summing.ts'
import { type CostDialect, queryCosts } from './sql-costs.ts'
import { queryCostLines, queryIds, queryPage, queryRecord } from './sql-queries.ts'
import type { SessionDatabase } from './sql-schema.ts'

/**
 * The tables of any database that kysely speaks to. Errors are the driver's own. How to find out whether a write would
 * last is for the adapter to say.
 */
export function createSqlSessionTables(
  db: Kysely<SessionDatabase>,
  /** Whether an error is about the values of a row, so that other rows may still be written. */
  isAboutRow: (error: unknown) => boolean,
  costDialect: CostDialect,
): Omit<SessionTables, 'ping'> {
  const write = createBatchWriter(db)
  return {
    async saveAll(batch) {
      try {
        await write(batch)
        return []
      } catch (error) {
        if (batch.length === 1 || !isAboutRow(error)) throw error
      }
      // One bad session must not fail its neighbours: each is now a transaction of its own.
      const refusals = []
      let failure: { readonly error: unknown } | undefined
      for (const [index, rows] of batch.entries()) {
        try {
          if (failure === undefined) await write([rows])
          else refusals.push({ index, error: failure.error })
        } catch (error) {
          refusals.push({ index, error })
          if (!isAboutRow(error)) failure = { error }
        }
      }
      return refusals
    },
    recordOf: (tenant, id) => queryRecord(db, tenant, id),
    findIds: (tenant, prefix, limit) => queryIds(db, tenant, prefix, limit),
    delete: (tenant, id) =>
      db.transaction().execute(async (transaction) => {
        const own = transaction.selectFrom('sessions').select('id').where('id', '=', id).where('tenant', '=', tenant)
        if ((await own.executeTakeFirst()) === undefined) return false
        return (await deleteSessions(transaction, [id])) > 0
      }),
    list: (tenant, filter, limit, after) => queryPage(db, tenant, filter, limit, after),
    costOf: (tenant, id) => queryCostLines(db, tenant, id),
    costs: (tenant, filter, groupBy) => queryCosts({ db, tenant, dialect: costDialect }, filter, groupBy),
    sumCosts: async (tenant, filter, groupBy) => {
      const tagKey = summedTag(filter, groupBy)
      return tagKey !== undefined && sumSomeCosts({ db, tenant, tagKey, dialect: costDialect }, filter)
    },
    close: () => db.destroy(),
  }
}
