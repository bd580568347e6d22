import { type Kysely, type Selectable, sql } from 'kysely'
import { type Delivery, type DeliveryAttempt, keptAttemptsMax } from '../domain/webhook.ts'
import type { DeliveryRequest, DeliveryStep, DueDelivery } from '../domain/webhook-store.ts'
import { type RunDialect, type RunTransaction, readNow } from './run-dialect.ts'
import type { RunDatabase, WebhookDeliveryTable } from './run-schema.ts'
import type { WebhookTables } from './webhook-tables.ts'

/** How often due deliveries are looked for again, without the hosts that have no room left. */
const roundsMax = 10

/** The deliveries of webhooks in any database that kysely speaks to. */
export function createSqlWebhookTables(db: Kysely<RunDatabase>, dialect: RunDialect): WebhookTables {
  const ownRun = (tenant: string, runId: string) =>
    db.selectFrom('runs').select('runs.id').where('runs.id', '=', runId).where('tenant', '=', tenant)
  return {
    claimDeliveries: (request) => db.transaction().execute((transaction) => claim(transaction, request, dialect)),
    recordDelivery: ({ id, claim: taken }, attempt, step) =>
      db.transaction().execute(async (transaction) => {
        const found = transaction
          .selectFrom('webhook_deliveries')
          .select('attempts')
          .where('id', '=', id)
          .where('claims', '=', taken)
          .where('state', '=', 'pending')
        const row = await (dialect.isShared ? found.forUpdate() : found).executeTakeFirst()
        if (row === undefined) return false
        const attempts = [...(JSON.parse(row.attempts) as readonly DeliveryAttempt[]), attempt].slice(-keptAttemptsMax)
        await transaction
          .updateTable('webhook_deliveries')
          .set({
            ...toColumns(step, await readNow(transaction, dialect)),
            tries: sql<number>`tries + 1`,
            attempt_count: sql<number>`attempt_count + 1`,
            attempts: JSON.stringify(attempts),
          })
          .where('id', '=', id)
          .execute()
        return true
      }),
    async deliveriesOf(tenant, runId) {
      const rows = await db
        .selectFrom('webhook_deliveries')
        .select(['id', 'run_id', 'type', 'url', 'state', 'created_at', 'next_at', 'attempt_count', 'attempts'])
        .where('run_id', 'in', ownRun(tenant, runId))
        .orderBy('id')
        .execute()
      return rows.map(toDelivery)
    },
    async redeliver(tenant, runId, id) {
      const { numUpdatedRows } = await db
        .updateTable('webhook_deliveries')
        .set({ state: 'pending', next_at: dialect.nowMs(), tries: 0 })
        .where('id', '=', id)
        .where('run_id', 'in', ownRun(tenant, runId))
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
  }
}

/** What is taken is due again only after its lease: until then nobody else finds it. */
async function claim(
  transaction: RunTransaction,
  { slots, hostMax, hostsBusy, leaseMs }: DeliveryRequest,
  dialect: RunDialect,
): Promise<readonly DueDelivery[]> {
  const nowMs = await readNow(transaction, dialect)
  const busy = new Map(Object.entries(hostsBusy))
  const taken: DueDelivery[] = []
  for (let round = 0; round < roundsMax && taken.length < slots; round++) {
    const full = [...busy].flatMap(([host, count]) => (count >= hostMax ? [host] : []))
    const found = await findDue(transaction, nowMs, full, slots - taken.length, dialect)
    const chosen = found.filter(({ host }) => {
      const count = busy.get(host) ?? 0
      if (count >= hostMax) return false
      busy.set(host, count + 1)
      return true
    })
    if (chosen.length > 0) {
      await transaction
        .updateTable('webhook_deliveries')
        .set({ next_at: nowMs + leaseMs, claims: sql<number>`claims + 1` })
        .where(
          'id',
          'in',
          chosen.map(({ id }) => id),
        )
        .execute()
    }
    taken.push(...chosen)
    if (chosen.length === found.length) break
  }
  return taken
}

async function findDue(
  transaction: RunTransaction,
  nowMs: number,
  fullHosts: readonly string[],
  limit: number,
  { isShared }: RunDialect,
): Promise<readonly DueDelivery[]> {
  const pending = transaction
    .selectFrom('webhook_deliveries')
    .innerJoin('runs', 'runs.id', 'webhook_deliveries.run_id')
    .select(['webhook_deliveries.id', 'run_id', 'tenant', 'url', 'host', 'body', 'tries', 'claims'])
    .where('webhook_deliveries.state', '=', 'pending')
    .where('next_at', '<=', nowMs)
  const due = fullHosts.length === 0 ? pending : pending.where('host', 'not in', fullHosts)
  const rows = await (isShared ? due.forUpdate('webhook_deliveries').skipLocked() : due)
    .orderBy('next_at')
    .orderBy('webhook_deliveries.id')
    .limit(limit)
    .execute()
  return rows.map(({ id, run_id, tenant, url, host, body, tries, claims }) => {
    return { id, runId: run_id, tenant, url, host, body, tries: Number(tries), claim: Number(claims) + 1 }
  })
}

function toColumns(step: DeliveryStep, nowMs: number) {
  if (step.kind !== 'retry') return { state: step.kind }
  return { state: 'pending' as const, next_at: nowMs + step.afterMs }
}

function toDelivery(row: Omit<Selectable<WebhookDeliveryTable>, 'host' | 'body' | 'tries' | 'claims'>): Delivery {
  return {
    id: row.id,
    runId: row.run_id,
    type: row.type,
    url: row.url,
    state: row.state,
    createdAtMs: Number(row.created_at),
    nextAttemptAtMs: row.state === 'pending' ? Number(row.next_at) : null,
    attemptCount: Number(row.attempt_count),
    attempts: JSON.parse(row.attempts) as readonly DeliveryAttempt[],
  }
}
