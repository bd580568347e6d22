import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { noCost } from '../../src/domain/cost.ts'
import type { NewRun, RunState } from '../../src/domain/run.ts'
import { toBatchRow, toRunRow, toRunTagRows } from '../../src/stores/run-rows.ts'
import { toCostColumns, toSessionRows } from '../../src/stores/session-rows.ts'
import { sessionMigrations, type TableStyle } from '../../src/stores/sql-migrations.ts'
import { tableColumns } from '../../src/stores/sql-schema.ts'
import { toStoredSession } from '../../src/stores/stored-session.ts'
import { buildRun } from './runs.ts'
import { buildSession, sessionId } from './sessions.ts'

/** Long ago, so that its costs are summed. */
export const oldStartMs = Date.UTC(2024, 1, 3, 4, 30)
export const oldBatchId = 'batch-1'
export const oldKeyAnswer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
/** Two that nobody started for a run, and that of the run that failed. */
export const oldSessions = [1, 2, 4].map((number) =>
  buildSession({
    id: sessionId(number),
    startedAtMs: oldStartMs + number,
    tags: { team: number === 1 ? 'red' : 'blue' },
    ...(number === 4
      ? { state: 'failure' as const, result: null, error: { code: 'invalid-result' as const, message: 'No.' } }
      : {}),
  }),
)
const oldRunStates = { 4: 'failure', 5: 'running', 6: 'queued' } as const satisfies Readonly<Record<number, RunState>>

/** Columns that came afterwards. */
const later = new Set(['tenant', 'key_id', 'key_concurrency'])

/** Makes the tables as they were before there were tenants, with a few of everything in them. */
export async function fillOldDatabase(db: Kysely<never>, style: TableStyle, schema?: string) {
  const migrator = new Migrator({
    db,
    provider: sessionMigrations(style),
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  })
  const { error } = await migrator.migrateTo('0008_webhooks')
  if (error !== undefined) throw error
  const insert = async (table: string, rows: readonly object[]) => {
    const known = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !later.has(column))))
    await (db as unknown as Kysely<Record<string, Record<string, unknown>>>).insertInto(table).values(known).execute()
  }
  const named = (table: keyof typeof tableColumns, values: readonly unknown[]) =>
    Object.fromEntries(tableColumns[table].map((column, place) => [column, values[place]]))
  for (const { session, payload, lines, tags } of oldSessions.map((one) => toSessionRows(toStoredSession(one)))) {
    await insert('sessions', [named('sessions', session)])
    await insert('session_payloads', [named('session_payloads', payload)])
    await insert(
      'cost_lines',
      lines.map((line) => named('cost_lines', line)),
    )
    await insert(
      'session_tags',
      tags.map((tag) => named('session_tags', tag)),
    )
  }
  await insert('run_batches', [toBatchRow({ ...oldRun(4), id: oldBatchId })])
  for (const [number, state] of Object.entries(oldRunStates)) await insertRun(insert, oldRun(Number(number)), state)
  await insert('webhook_deliveries', [oldDelivery])
  await insert('budget_allocations', [
    { budget: 'month total', value: '', starts_at: 0, ends_at: Number.MAX_SAFE_INTEGER, pico_usd: 5_000_000_000_001n },
  ])
  const { status, headers, body } = oldKeyAnswer
  const answered = { status, headers: JSON.stringify(headers), body }
  // The key was `again`.
  const key = { key_hash: createHash('sha256').update('again').digest('hex'), fingerprint: 'the same' }
  const use = { work_id: sessionId(1), owner: '', expires_at: Date.now() + 3_600_000, holders: 1 }
  await insert('idempotency_keys', [{ ...key, ...use, ...answered }])
}

async function insertRun(
  insert: (table: string, rows: readonly object[]) => Promise<void>,
  run: NewRun,
  state: RunState,
) {
  const isEnded = state === 'failure'
  const cost = oldSessions.find(({ id }) => id === run.id)?.cost ?? noCost
  const times = { started_at: state === 'queued' ? null : oldStartMs, ended_at: isEnded ? oldStartMs + 9 : null }
  const attempt = state === 'queued' ? 0 : 1
  const owner = attempt === 0 ? null : 'the process before'
  const lease = { owner, lease_until: state === 'running' ? oldStartMs : null }
  await insert('runs', [{ ...toRunRow(run), state, attempt, ...times, ...lease, ...toCostColumns(cost) }])
  await insert('run_tags', toRunTagRows(run))
  const error = { code: 'invalid-result', message: 'No.' }
  const outcome = isEnded ? JSON.stringify({ ok: false, error }) : null
  await insert('run_payloads', [{ run_id: run.id, request: JSON.stringify(run.request), outcome }])
  if (state === 'queued') return
  const event = isEnded ? { type: 'error', error, cost: { llmCalls: 0 } } : { type: 'progress', data: 1 }
  await insert('run_events', [{ run_id: run.id, seq: 1, type: event.type, event: JSON.stringify(event) }])
  await insert('run_journal', [{ run_id: run.id, key: 'a', kind: 'llm', state: 'done', record: '{}' }])
}

function oldRun(number: number): NewRun {
  return buildRun({
    id: sessionId(number),
    tenant: 'nobody yet',
    tags: { team: 'blue' },
    createdAtMs: oldStartMs,
    runAtMs: oldStartMs,
    batchId: oldBatchId,
    batchIndex: number - 4,
  })
}

const oldDelivery = {
  id: 'delivery-1',
  run_id: sessionId(4),
  type: 'run.failed',
  url: 'https://example.com/',
  host: 'example.com',
  body: '{}',
  state: 'pending',
  created_at: oldStartMs,
  next_at: oldStartMs,
  tries: 0,
  claims: 0,
  attempt_count: 0,
  attempts: '[]',
}
