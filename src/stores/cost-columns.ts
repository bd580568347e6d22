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

/** What the costs of many sessions are. Money is in two parts, of which neither ends where 64 bits do: that is at 9.2 million USD. */
export function addSumColumns<Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) {
  return table
    .addColumn('llm_calls', 'bigint', (column) => column.notNull())
    .addColumn('prompt_tokens', 'bigint', (column) => column.notNull())
    .addColumn('cached_prompt_tokens', 'bigint', (column) => column.notNull())
    .addColumn('completion_tokens', 'bigint', (column) => column.notNull())
    .addColumn('reasoning_tokens', 'bigint', (column) => column.notNull())
    .addColumn('total_tokens', 'bigint', (column) => column.notNull())
    .addColumn('priced_calls', 'bigint', (column) => column.notNull())
    .addColumn('unpriced_calls', 'bigint', (column) => column.notNull())
    .addColumn('prompt_micro_usd', 'bigint', (column) => column.notNull())
    .addColumn('prompt_pico_usd_rest', 'bigint', (column) => column.notNull())
    .addColumn('completion_micro_usd', 'bigint', (column) => column.notNull())
    .addColumn('completion_pico_usd_rest', 'bigint', (column) => column.notNull())
}
