import type { DeliveryAttempt } from '../domain/webhook.ts'
import type { DeliveryStep } from '../domain/webhook-store.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

/** How long to wait after each attempt that failed: as the specification of Standard Webhooks suggests. */
const waitsMs = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
]
/** Waits are up to this much longer, so that what failed together does not come back together. */
const jitterShare = 0.2
/** A receiver may ask for a longer wait, up to this. */
export const retryAfterMaxMs = 24 * hourMs
/** Attempts at one delivery, if nobody asks for more. */
export const triesMax = waitsMs.length + 1

/**
 * What becomes of a delivery after an attempt.
 *
 * @param tries How many attempts there were before this one.
 * @param random A number in [0, 1).
 * @param retryAfterMs What the receiver has asked for.
 */
export function planNext(
  { status, fault }: Pick<DeliveryAttempt, 'status' | 'fault'>,
  tries: number,
  random: number,
  retryAfterMs = 0,
): DeliveryStep {
  if (status !== null && status >= 200 && status < 300) return { kind: 'delivered' }
  // The receiver has gone for good, and says so.
  if (status === 410) return { kind: 'failed' }
  if (fault === 'interrupted') return { kind: 'retry', afterMs: 0 }
  const waitMs = waitsMs[tries]
  if (waitMs === undefined) return { kind: 'failed' }
  const plannedMs = Math.round(waitMs * (1 + jitterShare * random))
  return { kind: 'retry', afterMs: Math.max(plannedMs, Math.min(retryAfterMs, retryAfterMaxMs)) }
}

/** What a `Retry-After` says, in ms from now; undefined where it says nothing that makes sense. */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * secondMs
  // A date begins with the name of a day; what else might be read as one is none.
  const atMs = /^[A-Z][a-z]{2},? /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}
