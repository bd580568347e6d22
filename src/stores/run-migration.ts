import { type Kysely, sql } from 'kysely'
import { addCostColumns } from './cost-columns.ts'

/** Runs, what they are about, their journals and their events. */
export async function createRunTables(db: Kysely<unknown>) {
  const { schema } = db
  await schema
    .createTable('run_batches')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tactic', 'text', (column) => column.notNull())
    .addColumn('tactic_id', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await addCostColumns(
    schema
      .createTable('runs')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('tactic', 'text', (column) => column.notNull())
      .addColumn('tactic_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('priority', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('run_at', 'bigint', (column) => column.notNull())
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('attempt', 'bigint', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('lease_until', 'bigint')
      .addColumn('cancel_reason', 'text')
      .addColumn('batch_id', 'text', (column) => column.references('run_batches.id').onDelete('set null'))
      .addColumn('batch_index', 'bigint')
      .addColumn('schedule', 'text')
      .addColumn('tags', 'text', (column) => column.notNull())
      .addColumn('llm_calls', 'bigint', (column) => column.notNull()),
  ).execute()
  await schema
    .createTable('run_payloads')
    .addColumn('run_id', 'text', (column) => column.primaryKey().notNull().references('runs.id').onDelete('cascade'))
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .execute()
  await schema
    .createTable('run_tags')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_tags_pk', ['run_id', 'key'])
    .execute()
  await schema
    .createTable('run_events')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_events_pk', ['run_id', 'seq'])
    .execute()
  await schema
    .createTable('run_journal')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('run_journal_pk', ['run_id', 'key'])
    .execute()
  await schema
    .createTable('schedule_ticks')
    .addColumn('schedule', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('schedule_ticks_pk', ['schedule', 'at'])
    .execute()
  await createIndexes(db)
}

/** One index for each way a list is narrowed down, in its order; and small ones of the few runs that have not ended. */
async function createIndexes(db: Kysely<unknown>) {
  const statements = [
    sql`create index runs_newest on runs (created_at, id)`,
    sql`create index runs_of_tactic on runs (tactic, created_at, id)`,
    sql`create index runs_of_tactic_id on runs (tactic_id, created_at, id)`,
    sql`create index runs_in_state on runs (state, created_at, id)`,
    sql`create index runs_of_batch on runs (batch_id, batch_index)`,
    sql`create index runs_tagged on run_tags (key, value, created_at, run_id)`,
    sql`create index run_batches_newest on run_batches (created_at, id)`,
    sql`create index runs_due on runs (priority desc, run_at, id) where state = 'queued'`,
    sql`create index runs_under_way on runs (owner) where state = 'running'`,
  ]
  for (const statement of statements) await statement.execute(db)
}
