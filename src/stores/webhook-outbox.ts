import { randomUUIDv7 } from 'node:crypto'
import type { RunOutcome, RunRequest } from '../domain/run.ts'
import { toWebhookBody, webhookTypeOf } from '../domain/webhook.ts'
import { type RunDialect, type RunTransaction, readNow } from './run-dialect.ts'
import { toRunSummary } from './run-rows.ts'
import { runColumns } from './run-schema.ts'

/**
 * Writes what is to be told of runs that end in this transaction, so that there is one delivery for each end or no end at all. Their
 * rows and outcomes have to be written already. Each of them has a webhook.
 */
export async function addDeliveries(transaction: RunTransaction, ids: readonly string[], dialect: RunDialect) {
  if (ids.length === 0) return
  const nowMs = await readNow(transaction, dialect)
  const ended = await transaction
    .selectFrom('runs')
    .innerJoin('run_payloads', 'run_payloads.run_id', 'runs.id')
    .select(runColumns.map((column) => `runs.${column}` as const))
    .select(['runs.webhook', 'run_payloads.request', 'run_payloads.outcome'])
    .where('runs.id', 'in', ids)
    .execute()
  const rows = ended.flatMap(({ webhook, request, outcome, ...row }) => {
    if (webhook === null || outcome === null) return []
    const run = toRunSummary(row)
    return {
      id: randomUUIDv7(),
      run_id: run.id,
      type: webhookTypeOf(run),
      url: webhook,
      host: new URL(webhook).host,
      body: toWebhookBody(
        run,
        JSON.parse(request) as RunRequest,
        JSON.parse(outcome) as RunOutcome,
        run.endedAtMs ?? nowMs,
      ),
      state: 'pending' as const,
      created_at: nowMs,
      next_at: nowMs,
      tries: 0,
      claims: 0,
      attempt_count: 0,
      attempts: '[]',
    }
  })
  // Each has a body of its own: a statement for each keeps to what a statement may hold.
  for (const row of rows) await transaction.insertInto('webhook_deliveries').values(row).execute()
}
