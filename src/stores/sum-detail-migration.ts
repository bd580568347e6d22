import type { Kysely } from 'kysely'
import { type CostSumDatabase, spanDetails } from './cost-sum-schema.ts'

/** In how much detail spans have been summed: before, it was in full or not at all. Those that were not are looked at once more. */
export async function addSumDetail(db: Kysely<unknown>) {
  await db.schema.alterTable('cost_spans').renameColumn('is_summed', 'detail').execute()
  const spans = db.withTables<CostSumDatabase>()
  await spans.deleteFrom('cost_spans').where('detail', '=', 0).execute()
  await spans.updateTable('cost_spans').set({ detail: spanDetails.full }).execute()
}
