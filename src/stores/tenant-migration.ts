import { type Kysely, sql } from 'kysely'
import { defaultTenant } from '../domain/tenant.ts'

/** What belongs to somebody by itself; all else belongs to whomever these do. */
const owned = ['sessions', 'session_tags', 'runs', 'run_tags', 'run_batches'] as const

/**
 * Everything that was there before is the default tenant's. Lists are those of one tenant, so that it leads their indexes; whoever wants
 * a tactic by its id finds it by its name, which few packages share.
 */
export async function addTenants(db: Kysely<unknown>) {
  for (const table of owned) {
    await db.schema
      .alterTable(table)
      .addColumn('tenant', 'text', (column) => column.notNull().defaultTo(defaultTenant))
      .execute()
  }
  const statements = [
    sql`drop index sessions_newest`,
    sql`drop index sessions_of_tactic`,
    sql`drop index sessions_of_tactic_id`,
    sql`drop index sessions_in_state`,
    sql`drop index sessions_tagged`,
    sql`drop index runs_newest`,
    sql`drop index runs_of_tactic`,
    sql`drop index runs_of_tactic_id`,
    sql`drop index runs_in_state`,
    sql`drop index runs_tagged`,
    sql`drop index run_batches_newest`,
    sql`create index sessions_newest on sessions (tenant, started_at, id)`,
    sql`create index sessions_of_tactic on sessions (tenant, tactic, started_at, id)`,
    sql`create index sessions_in_state on sessions (tenant, state, started_at, id)`,
    sql`create index sessions_tagged on session_tags (tenant, key, value, started_at, session_id)`,
    sql`create index runs_newest on runs (tenant, created_at, id)`,
    sql`create index runs_of_tactic on runs (tenant, tactic, created_at, id)`,
    sql`create index runs_in_state on runs (tenant, state, created_at, id)`,
    sql`create index runs_tagged on run_tags (tenant, key, value, created_at, run_id)`,
    sql`create index run_batches_newest on run_batches (tenant, created_at, id)`,
    // How many wait and are under way is asked for all tenants together.
    sql`create index runs_active on runs (state) where state in ('queued', 'running')`,
  ]
  for (const statement of statements) await statement.execute(db)
}
