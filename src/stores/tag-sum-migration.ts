import type { Kysely, RawBuilder } from 'kysely'
import { addSumColumns } from './cost-columns.ts'

/**
 * Sums of what sessions have cost that tell the values of a tag apart. What was summed before is made anew when a report asks for it. The
 * triggers of `sessions` drop the sums of all tags together, and stay as they are.
 */
export async function addTagSums(db: Kysely<unknown>, clustered: RawBuilder<unknown> | undefined) {
  await db.schema.dropTable('cost_sums').execute()
  await db.schema.dropTable('cost_spans').execute()
  await db.schema
    .createTable('cost_spans')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('tag_key', 'text', (column) => column.notNull())
    .addColumn('span_ms', 'bigint', (column) => column.notNull())
    .addColumn('starts_at', 'bigint', (column) => column.notNull())
    .addColumn('is_summed', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('cost_spans_pk', [...spanKey])
    .execute()
  // By which triggers find the spans of all tags: reports look for those of one tag, which are side by side.
  await db.schema
    .createIndex('cost_spans_of_time')
    .on('cost_spans')
    .columns(['tenant', 'span_ms', 'starts_at'])
    .execute()
  const sums = addSumColumns(
    db.schema
      .createTable('cost_sums')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('tag_key', 'text', (column) => column.notNull())
      .addColumn('span_ms', 'bigint', (column) => column.notNull())
      .addColumn('starts_at', 'bigint', (column) => column.notNull())
      .addColumn('grouping', 'bigint', (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('root_tactic', 'text', (column) => column.notNull())
      .addColumn('root_tactic_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('tag_value', 'text')
      .addColumn('sessions', 'bigint', (column) => column.notNull())
      .addColumn('tactic', 'text')
      .addColumn('tactic_id', 'text')
      .addColumn('agent', 'text')
      .addColumn('model', 'text'),
  )
    .addPrimaryKeyConstraint('cost_sums_pk', [...spanKey, 'grouping', 'number', 'position'])
    .addForeignKeyConstraint('cost_sums_span', [...spanKey], 'cost_spans', [...spanKey], (constraint) =>
      constraint.onDelete('cascade'),
    )
  await (clustered === undefined ? sums : sums.modifyEnd(clustered)).execute()
}

const spanKey = ['tenant', 'tag_key', 'span_ms', 'starts_at'] as const
