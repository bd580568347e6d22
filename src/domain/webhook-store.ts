import type { Delivery, DeliveryAttempt } from './webhook.ts'

export interface DeliveryRequest {
  /** Deliveries that there is room for, 1..1000. */
  readonly slots: number
  /** Deliveries to one host that may be under way at once in this process. */
  readonly hostMax: number
  /** Those under way in this process already, by host. */
  readonly hostsBusy: Readonly<Record<string, number>>
  /** For how long nobody else may try what is taken. Longer than an attempt can take. */
  readonly leaseMs: number
}

/** A delivery that is to be tried now, by whoever took it. */
export interface DueDelivery {
  readonly id: string
  readonly runId: string
  /** Whose run it is. */
  readonly tenant: string
  readonly url: string
  /** With its port, where that is not the usual one. */
  readonly host: string
  readonly body: string
  /** Attempts since it was made, or since it was asked for again. */
  readonly tries: number
  /** Tells this taking from those before it. */
  readonly claim: number
}

/** What becomes of a delivery after an attempt. */
export type DeliveryStep =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'retry'; readonly afterMs: number }

/** What is told of the runs of one tenant. */
export interface TenantWebhooks {
  /** The deliveries of a run, oldest first; none where there is no such run. */
  ofRun(runId: string): Promise<readonly Delivery[]>
  /** Has a delivery tried again at once, with as many attempts as a new one. False: the run has none of this id. */
  redeliver(runId: string, id: string): Promise<boolean>
}

/**
 * Keeps what is to be told of the ends of runs. A delivery is written in the transaction in which its run ends, so that there is exactly
 * one for each end, whichever process ended it. What is read and asked for without saying whose run it is, is the default tenant's.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else.
 */
export interface WebhookStore extends TenantWebhooks {
  /** Takes deliveries that are due, those that are due longest first. What is not recorded is due again when its lease is over. */
  claim(request: DeliveryRequest): Promise<readonly DueDelivery[]>
  /** Writes what came of an attempt. False: somebody else has taken the delivery meanwhile, or it is gone with its run. */
  record(due: Pick<DueDelivery, 'id' | 'claim'>, attempt: DeliveryAttempt, step: DeliveryStep): Promise<boolean>
  of(tenant: string): TenantWebhooks
}
