import { type Caller, mayRead } from '../domain/caller.ts'
import { toRfc3339 } from '../domain/clock.ts'
import type { Delivery } from '../domain/webhook.ts'

/** A delivery that is tried again: whoever may not look at the run is not told where its end goes. */
export function toChangedDelivery(delivery: Delivery, caller: Caller) {
  const { url, ...facts } = toDeliveryRecord(delivery)
  return mayRead(caller) ? { url, ...facts } : facts
}

/** A delivery as the service tells it. */
export function toDeliveryRecord(delivery: Delivery) {
  const { nextAttemptAtMs } = delivery
  return {
    id: delivery.id,
    run_id: delivery.runId,
    type: delivery.type,
    url: delivery.url,
    state: delivery.state,
    created_at: toRfc3339(delivery.createdAtMs),
    next_attempt_at: nextAttemptAtMs === null ? null : toRfc3339(nextAttemptAtMs),
    attempt_count: delivery.attemptCount,
    attempts: delivery.attempts.map(({ startedAtMs, durationMs, status, fault }) => {
      return { started_at: toRfc3339(startedAtMs), duration_ms: durationMs, status, fault }
    }),
  }
}
