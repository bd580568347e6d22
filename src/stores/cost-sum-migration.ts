import { type Kysely, type RawBuilder, sql } from 'kysely'
import { advisoryLocks } from './advisory-locks.ts'
import { addSumColumns } from './cost-columns.ts'
import { dayMs, hourMs } from './cost-spans.ts'

/** A session is as good as new for so long: no span that it may be in is summed before twice this time has passed. */
const freshMs = 1_800_000

/**
 * What the sessions of a tenant in whole hours and days have cost, for reports that would otherwise read each of them. A span that is not
 * named in `cost_spans` has not been summed, or no longer is.
 */
export async function createCostSums(db: Kysely<unknown>, clustered: RawBuilder<unknown> | undefined) {
  await db.schema
    .createTable('cost_spans')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('span_ms', 'bigint', (column) => column.notNull())
    .addColumn('starts_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('cost_spans_pk', ['tenant', 'span_ms', 'starts_at'])
    .execute()
  const sums = addSumColumns(
    db.schema
      .createTable('cost_sums')
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('span_ms', 'bigint', (column) => column.notNull())
      .addColumn('starts_at', 'bigint', (column) => column.notNull())
      .addColumn('grouping', 'bigint', (column) => column.notNull())
      .addColumn('number', 'bigint', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('root_tactic', 'text', (column) => column.notNull())
      .addColumn('root_tactic_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('sessions', 'bigint', (column) => column.notNull())
      .addColumn('tactic', 'text')
      .addColumn('tactic_id', 'text')
      .addColumn('agent', 'text')
      .addColumn('model', 'text'),
  )
    .addPrimaryKeyConstraint('cost_sums_pk', ['tenant', 'span_ms', 'starts_at', 'grouping', 'number', 'position'])
    .addForeignKeyConstraint(
      'cost_sums_span',
      ['tenant', 'span_ms', 'starts_at'],
      'cost_spans',
      ['tenant', 'span_ms', 'starts_at'],
      (constraint) => constraint.onDelete('cascade'),
    )
  await (clustered === undefined ? sums : sums.modifyEnd(clustered)).execute()
  const triggers = clustered === undefined ? postgresTriggers : sqliteTriggers
  for (const statement of triggers) await statement.execute(db)
}

/**
 * A session that comes, or goes, drops what has been summed of its hour and its day, in the same transaction. By triggers, so that
 * it holds for whoever writes sessions, today and later.
 */
const sqliteTriggers = [
  sql`create trigger sessions_come after insert on sessions begin ${dropSums('new')}; end`,
  sql`create trigger sessions_go after delete on sessions begin ${dropSums('old')}; end`,
]

/**
 * Whoever sums has the lock for itself, so that it sees all that was saved before, and is seen by all who save afterwards. Nobody sums
 * what is as young as most sessions are when they are saved: for those there is no lock, and no call of the function.
 */
const postgresTriggers = [
  sql`create function drop_cost_sums() returns trigger language plpgsql set search_path from current as $$
    begin
      perform pg_advisory_xact_lock_shared(${sql.lit(advisoryLocks.costs)});
      if tg_op = 'INSERT' then ${dropSums('new')};
      else ${dropSums('old')};
      end if;
      return null;
    end $$`,
  sql`create trigger sessions_come after insert on sessions for each row when (${isOld('new')}) execute function drop_cost_sums()`,
  sql`create trigger sessions_go after delete on sessions for each row when (${isOld('old')}) execute function drop_cost_sums()`,
]

function dropSums(row: 'new' | 'old'): RawBuilder<unknown> {
  const startedAt = sql.ref(`${row}.started_at`)
  const dropSpan = (spanMs: number) => sql`delete from cost_spans where tenant = ${sql.ref(`${row}.tenant`)}
    and span_ms = ${sql.lit(spanMs)} and starts_at = ${startedAt} - ${startedAt} % ${sql.lit(spanMs)}`
  return sql.join([dropSpan(hourMs), dropSpan(dayMs)], sql`; `)
}

function isOld(row: 'new' | 'old'): RawBuilder<unknown> {
  return sql`${sql.ref(`${row}.started_at`)} < extract(epoch from now()) * 1000 - ${sql.lit(freshMs)}`
}
