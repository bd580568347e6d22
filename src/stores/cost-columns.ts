import type { CreateTableBuilder } from 'kysely'

/** What a session, a line of its costs, and a run have alike. */
export function addCostColumns<Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) {
  return table
    .addColumn('prompt_tokens', 'bigint', (column) => column.notNull())
    .addColumn('cached_prompt_tokens', 'bigint', (column) => column.notNull())
    .addColumn('completion_tokens', 'bigint', (column) => column.notNull())
    .addColumn('reasoning_tokens', 'bigint', (column) => column.notNull())
    .addColumn('total_tokens', 'bigint', (column) => column.notNull())
    .addColumn('prompt_pico_usd', 'bigint', (column) => column.notNull())
    .addColumn('completion_pico_usd', 'bigint', (column) => column.notNull())
    .addColumn('priced_calls', 'bigint', (column) => column.notNull())
    .addColumn('unpriced_calls', 'bigint', (column) => column.notNull())
}
