import type { Kysely } from 'kysely'
import { defaultTenant } from '../../src/domain/tenant.ts'
import type { RunDatabase } from '../../src/stores/run-schema.ts'
import { queryPage } from '../../src/stores/sql-queries.ts'
import { createRunLists } from '../../src/stores/sql-run-lists.ts'
import type { SessionDatabase } from '../../src/stores/sql-schema.ts'

export type ListDatabase = SessionDatabase & RunDatabase

export interface ListQuery {
  readonly name: string
  ask(db: Kysely<ListDatabase>): Promise<unknown>
}

/** What lists are narrowed down by: each has an index, and what is beside the first tag is looked at row by row. */
const filters = [
  { name: 'all', filter: {} },
  { name: 'a tactic by its name', filter: { tactic: 'essay' } },
  { name: 'a tactic by its id', filter: { tactic: 'demo::essay' } },
  { name: 'a state', filter: { state: 'failure' } },
  { name: 'a tag', filter: { tags: { team: 'red' } } },
  { name: 'two tags and a state', filter: { tags: { team: 'red', env: 'live' }, state: 'failure' } },
] as const

const sessions = (db: Kysely<ListDatabase>) => db as unknown as Kysely<SessionDatabase>
const runs = (db: Kysely<ListDatabase>) => createRunLists(db as unknown as Kysely<RunDatabase>)
const tenant = defaultTenant
const size = 50

/** The queries of lists, each as a first page and as one further down. */
export const listQueries: readonly ListQuery[] = [
  ...filters.flatMap(({ name, filter }): readonly ListQuery[] => [
    { name: `sessions, ${name}`, ask: (db) => queryPage(sessions(db), tenant, filter, size) },
    {
      name: `sessions, ${name}, further down`,
      ask: (db) => queryPage(sessions(db), tenant, filter, size, { startedAtMs: 1, id: 'x' }),
    },
    { name: `runs, ${name}`, ask: (db) => runs(db).list(tenant, filter, size) },
    {
      name: `runs, ${name}, further down`,
      ask: (db) => runs(db).list(tenant, filter, size, { createdAtMs: 1, id: 'x' }),
    },
  ]),
  {
    name: 'sessions of a tactic and a time',
    ask: (db) => queryPage(sessions(db), tenant, { startedAfterMs: 1, startedBeforeMs: 2, tactic: 'essay' }, size),
  },
  { name: 'batches', ask: (db) => runs(db).batches(tenant, size) },
  { name: 'batches, further down', ask: (db) => runs(db).batches(tenant, size, { createdAtMs: 1, id: 'x' }) },
]
