import type { WebhookStore } from '../domain/webhook-store.ts'

/** Deliveries as a relational database sees them. Errors are the database's own. */
export interface WebhookTables {
  readonly claimDeliveries: WebhookStore['claim']
  readonly recordDelivery: WebhookStore['record']
  readonly deliveriesOf: WebhookStore['ofRun']
  readonly redeliver: WebhookStore['redeliver']
}

/** A store of deliveries on tables whose errors are what the port promises. */
export function createTableWebhookStore(tables: WebhookTables): WebhookStore {
  return {
    claim: (request) => tables.claimDeliveries(request),
    record: (due, attempt, step) => tables.recordDelivery(due, attempt, step),
    ofRun: (runId) => tables.deliveriesOf(runId),
    redeliver: (runId, id) => tables.redeliver(runId, id),
  }
}
