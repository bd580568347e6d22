import { type Kysely, type Selectable, sql } from 'kysely'
import type { Cost } from '../domain/cost.ts'
import type { CostLine } from '../domain/cost-report.ts'
import type { SessionFilter, SessionPage, SessionPosition, SessionSummary } from '../domain/session-store.ts'
import { fromColumnText } from './column-text.ts'
import { filterSessions } from './sql-filter.ts'
import { type CostColumns, type SessionDatabase, type SessionTable, sessionColumns } from './sql-schema.ts'

export async function queryRecord(
  db: Kysely<SessionDatabase>,
  tenant: string,
  id: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('session_payloads')
    .innerJoin('sessions', 'sessions.id', 'session_payloads.session_id')
    .select('record')
    .where('session_id', '=', id)
    .where('tenant', '=', tenant)
    .executeTakeFirst()
  return row?.record
}

/** A range of the primary key, which no pattern is needed for: every character of an id comes before `~`. */
export async function queryIds(
  db: Kysely<SessionDatabase>,
  tenant: string,
  prefix: string,
  limit: number,
): Promise<readonly string[]> {
  const own = db.selectFrom('sessions').select('id').where('tenant', '=', tenant)
  const inRange = own.where('id', '>=', prefix).where('id', '<', `${prefix}~`)
  return (await inRange.orderBy('id').limit(limit).execute()).map(({ id }) => id)
}

export async function queryPage(
  db: Kysely<SessionDatabase>,
  tenant: string,
  filter: SessionFilter,
  limit: number,
  after?: SessionPosition,
): Promise<SessionPage> {
  const { query, startedAt, id } = filterSessions(db, tenant, filter)
  const rows = await query
    .select(sessionColumns.map((column) => `sessions.${column}` as const))
    .$if(after !== undefined, (sessions) =>
      sessions.where(sql<boolean>`(${startedAt}, ${id}) < (${after?.startedAtMs}, ${after?.id})`),
    )
    .orderBy(startedAt, 'desc')
    .orderBy(id, 'desc')
    .limit(limit + 1)
    .execute()

  const data = rows.slice(0, limit).map(toSummary)
  const last = data.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { data, next: hasMore ? { startedAtMs: last.startedAtMs, id: last.id } : null }
}

/** The lines of a session in order of first use; undefined when there is no such session. */
export async function queryCostLines(
  db: Kysely<SessionDatabase>,
  tenant: string,
  id: string,
): Promise<readonly CostLine[] | undefined> {
  const own = db.selectFrom('sessions').select('id').where('id', '=', id).where('tenant', '=', tenant)
  const session = await own.executeTakeFirst()
  if (session === undefined) return undefined
  const rows = await db.selectFrom('cost_lines').selectAll().where('session_id', '=', id).orderBy('position').execute()
  return rows.map((row) => ({
    tactic: fromColumnText(row.tactic),
    tacticId: fromColumnText(row.tactic_id),
    agent: fromColumnText(row.agent),
    model: fromColumnText(row.model),
    llmCalls: Number(row.llm_calls),
    cost: toCost(row),
  }))
}

function toSummary(row: Selectable<SessionTable>): SessionSummary {
  return {
    id: row.id,
    tactic: fromColumnText(row.tactic),
    tacticId: fromColumnText(row.tactic_id),
    state: row.state,
    startedAtMs: Number(row.started_at),
    durationMs: Number(row.duration_ms),
    agentCalls: Number(row.agent_calls),
    subTacticCalls: Number(row.sub_tactic_calls),
    llmCalls: Number(row.llm_calls),
    cost: toCost(row),
    tags: JSON.parse(row.tags) as Readonly<Record<string, string>>,
  }
}

export function toCost(row: Selectable<CostColumns>): Cost {
  return {
    promptTokens: Number(row.prompt_tokens),
    cachedPromptTokens: Number(row.cached_prompt_tokens),
    completionTokens: Number(row.completion_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    totalTokens: Number(row.total_tokens),
    promptPicoUsd: Number(row.prompt_pico_usd),
    completionPicoUsd: Number(row.completion_pico_usd),
    pricedCalls: Number(row.priced_calls),
    unpricedCalls: Number(row.unpriced_calls),
  }
}
