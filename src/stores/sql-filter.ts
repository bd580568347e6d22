import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import type { SessionDatabase } from './sql-schema.ts'

/**
 * The sessions of a tenant that fit a filter.
 *
 * With tags, the rows of the first one lead, which their index has in the order of lists: so neither a rare tag nor one
 * that every session has needs a look at all sessions. `startedAt` and `id` are the columns of whichever table leads;
 * what is ordered or narrowed down by them follows its index.
 */
export function filterSessions(db: Kysely<SessionDatabase>, tenant: string, filter: SessionFilter) {
  const [leading, ...otherTags] = Object.entries(filter.tags ?? {})
  const startedAt = sql.ref<number>(leading === undefined ? 'sessions.started_at' : 'leading.started_at')
  const id = sql.ref<string>(leading === undefined ? 'sessions.id' : 'leading.session_id')
  const owner = sql.ref<string>(leading === undefined ? 'sessions.tenant' : 'leading.tenant')
  const query = db
    .selectFrom('sessions')
    .$if(leading !== undefined, (sessions) =>
      sessions.innerJoin('session_tags as leading', (join) =>
        join
          .onRef('leading.session_id', '=', 'sessions.id')
          .on('leading.key', '=', toColumnText(leading?.[0] ?? ''))
          .on('leading.value', '=', toColumnText(leading?.[1] ?? '')),
      ),
    )
    .where(owner, '=', tenant)
    .where(conditionsOf(filter, otherTags, startedAt))
  return { query, startedAt, id }
}

function conditionsOf(
  { tactic, state, startedAfterMs, startedBeforeMs }: SessionFilter,
  tags: readonly (readonly [string, string])[],
  startedAt: Expression<number>,
): Expression<SqlBool> {
  const eb = expressionBuilder<SessionDatabase, 'sessions'>()
  const conditions: Expression<SqlBool>[] = tags.map(([key, value]) =>
    eb.exists(
      eb
        .selectFrom('session_tags as wanted')
        .select('wanted.session_id')
        .whereRef('wanted.session_id', '=', 'sessions.id')
        .where('wanted.key', '=', toColumnText(key))
        .where('wanted.value', '=', toColumnText(value)),
    ),
  )
  if (tactic !== undefined) {
    // An id is the package and the name, which few packages share: the index of names finds both.
    const [name, packageName] = tactic.split('::').reverse()
    conditions.push(eb('sessions.tactic', '=', toColumnText(name ?? '')))
    if (packageName !== undefined) conditions.push(eb('sessions.tactic_id', '=', toColumnText(tactic)))
  }
  if (state !== undefined) conditions.push(eb('sessions.state', '=', state))
  if (startedAfterMs !== undefined) conditions.push(eb(startedAt, '>=', startedAfterMs))
  if (startedBeforeMs !== undefined) conditions.push(eb(startedAt, '<', startedBeforeMs))
  return eb.and(conditions)
}
