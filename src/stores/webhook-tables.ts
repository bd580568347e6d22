import { defaultTenant } from '../domain/tenant.ts'
import type { Delivery } from '../domain/webhook.ts'
import type { TenantWebhooks, WebhookStore } from '../domain/webhook-store.ts'

/** Deliveries as a relational database sees them. Errors are the database's own. */
export interface WebhookTables {
  readonly claimDeliveries: WebhookStore['claim']
  readonly recordDelivery: WebhookStore['record']
  deliveriesOf(tenant: string, runId: string): Promise<readonly Delivery[]>
  redeliver(tenant: string, runId: string, id: string): Promise<boolean>
}

/** A store of deliveries on tables whose errors are what the port promises. */
export function createTableWebhookStore(tables: WebhookTables): WebhookStore {
  const of = (tenant: string): TenantWebhooks => ({
    ofRun: (runId) => tables.deliveriesOf(tenant, runId),
    redeliver: (runId, id) => tables.redeliver(tenant, runId, id),
  })
  return {
    claim: (request) => tables.claimDeliveries(request),
    record: (due, attempt, step) => tables.recordDelivery(due, attempt, step),
    ...of(defaultTenant),
    of,
  }
}
