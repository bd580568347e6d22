import { type Kysely, sql } from 'kysely'

/** What a tick has started, and a way to find the runs of a schedule that have not ended. */
export async function linkTicksToRuns(db: Kysely<unknown>) {
  // No foreign key: that a tick has started something is known also when its run is gone.
  await db.schema.alterTable('schedule_ticks').addColumn('run_id', 'text').execute()
  await sql`create index runs_of_schedule on runs (schedule, state) where schedule is not null`.execute(db)
}
