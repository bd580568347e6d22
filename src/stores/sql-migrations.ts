import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'
import { addCostColumns } from './cost-columns.ts'
import { createCostSums } from './cost-sum-migration.ts'
import { createIdempotencyKeys } from './idempotency-migration.ts'
import { createRates } from './rate-migration.ts'
import { addRunKeys } from './run-key-migration.ts'
import { createRunTables } from './run-migration.ts'
import { linkTicksToRuns } from './schedule-migration.ts'
import { createApiKeys } from './sql-key-tables.ts'
import { addSumDetail } from './sum-detail-migration.ts'
import { addTagSums } from './tag-sum-migration.ts'
import { addTenants } from './tenant-migration.ts'
import { createWebhookTables } from './webhook-migration.ts'

/** What a dialect says about its tables. */
export interface TableStyle {
  /** Said at the end of a table of narrow rows that is always read by its primary key. SQLite has it, and PostgreSQL does not. */
  readonly clustered?: RawBuilder<unknown>
}

/** All steps from an empty database to the schema of this version. Code, not files: what runs is what was compiled. */
export function sessionMigrations(style: TableStyle): MigrationProvider & { readonly names: readonly string[] } {
  const migrations: Readonly<Record<string, Migration>> = {
    '0001_sessions': { up: (db: Kysely<unknown>) => createSessions(db, style) },
    '0002_budgets': { up: createBudgets },
    '0003_runs': { up: createRunTables },
    '0004_idempotency': { up: createIdempotencyKeys },
    '0007_rates': { up: createRates },
    '0008_webhooks': { up: createWebhookTables },
    '0009_tenants': { up: addTenants },
    '0010_cost_sums': { up: (db: Kysely<unknown>) => createCostSums(db, style.clustered) },
    '0012_keys': { up: createApiKeys },
    '0013_schedules': { up: linkTicksToRuns },
    '0014_run_keys': { up: addRunKeys },
    '0015_tag_sums': { up: (db: Kysely<unknown>) => addTagSums(db, style.clustered) },
    '0016_sum_detail': { up: addSumDetail },
  }
  return { names: Object.keys(migrations), getMigrations: async () => ({ ...migrations }) }
}

async function createSessions(db: Kysely<unknown>, { clustered }: TableStyle) {
  const finish = <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    clustered === undefined ? table : table.modifyEnd(clustered)

  await finish(
    addCostColumns(
      db.schema
        .createTable('sessions')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('tactic', 'text', (column) => column.notNull())
        .addColumn('tactic_id', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('started_at', 'bigint', (column) => column.notNull())
        .addColumn('duration_ms', 'bigint', (column) => column.notNull())
        .addColumn('agent_calls', 'bigint', (column) => column.notNull())
        .addColumn('sub_tactic_calls', 'bigint', (column) => column.notNull())
        .addColumn('llm_calls', 'bigint', (column) => column.notNull()),
    ).addColumn('tags', 'text', (column) => column.notNull()),
  ).execute()

  await db.schema
    .createTable('session_payloads')
    .addColumn('session_id', 'text', (column) =>
      column.primaryKey().notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('record', 'text', (column) => column.notNull())
    .execute()

  await finish(
    addCostColumns(
      db.schema
        .createTable('cost_lines')
        .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('tactic', 'text', (column) => column.notNull())
        .addColumn('tactic_id', 'text', (column) => column.notNull())
        .addColumn('agent', 'text', (column) => column.notNull())
        .addColumn('model', 'text', (column) => column.notNull())
        .addColumn('llm_calls', 'bigint', (column) => column.notNull()),
    ).addPrimaryKeyConstraint('cost_lines_pk', ['session_id', 'position']),
  ).execute()

  await finish(
    db.schema
      .createTable('session_tags')
      .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('session_tags_pk', ['session_id', 'key']),
  ).execute()

  await createIndexes(db)
}

/** How much of each standing budget is allocated in a window: few rows, which are changed often. */
async function createBudgets(db: Kysely<unknown>) {
  await db.schema
    .createTable('budget_allocations')
    .addColumn('budget', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('starts_at', 'bigint', (column) => column.notNull())
    .addColumn('ends_at', 'bigint', (column) => column.notNull())
    .addColumn('pico_usd', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('budget_allocations_pk', ['budget', 'value', 'starts_at'])
    .execute()
}

/** One index for each way a list is narrowed down, all in the order of the list, so that no page has to be sorted. */
async function createIndexes(db: Kysely<unknown>) {
  const { schema } = db
  await schema.createIndex('sessions_newest').on('sessions').columns(['started_at', 'id']).execute()
  await schema.createIndex('sessions_of_tactic').on('sessions').columns(['tactic', 'started_at', 'id']).execute()
  await schema.createIndex('sessions_of_tactic_id').on('sessions').columns(['tactic_id', 'started_at', 'id']).execute()
  await schema.createIndex('sessions_in_state').on('sessions').columns(['state', 'started_at', 'id']).execute()
  const tagged = ['key', 'value', 'started_at', 'session_id']
  await schema.createIndex('sessions_tagged').on('session_tags').columns(tagged).execute()
}

/** SQLite's way to keep a table's rows in the tree of their primary key, without a second one. */
export const withoutRowId = sql`without rowid`
