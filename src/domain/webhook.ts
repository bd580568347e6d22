import { toRfc3339 } from './clock.ts'
import { costUsd } from './cost.ts'
import type { RunOutcome, RunRequest, RunSummary } from './run.ts'
import { toldTenant } from './tenant.ts'

/** Characters of JSON that a result may have to be told in a webhook. A larger one is left out, and read from the run. */
export const webhookResultLengthMax = 65_536
/** Characters of an error's message in a webhook. */
const messageLengthMax = 4_096
/** Attempts that are kept of one delivery: the latest ones. */
export const keptAttemptsMax = 20

export type WebhookType = 'run.succeeded' | 'run.failed' | 'run.cancelled'

/**
 * - `pending`: it is still to be delivered, now or at its next attempt.
 * - `failed`: nobody tries any more, unless it is asked for.
 */
export type DeliveryState = 'pending' | 'delivered' | 'failed'

/**
 * Why no answer came. `address-refused`: the address is one that webhooks may not be sent to. `interrupted`: this process was told to
 * end meanwhile.
 */
export type DeliveryFault = 'timeout' | 'unreachable' | 'address-refused' | 'interrupted'

/** One request to the receiver, and what came of it: a status, or a fault. */
export interface DeliveryAttempt {
  readonly startedAtMs: number
  readonly durationMs: number
  readonly status: number | null
  readonly fault: DeliveryFault | null
}

/** The end of a run that is told at a URL. A run that is resumed ends again, and has a delivery for each end. */
export interface Delivery {
  /** UUIDv7. The same in each attempt, so that receivers know what they have had already. */
  readonly id: string
  readonly runId: string
  readonly type: WebhookType
  readonly url: string
  readonly state: DeliveryState
  readonly createdAtMs: number
  /** When it is tried next; null where nobody will try. */
  readonly nextAttemptAtMs: number | null
  readonly attemptCount: number
  /** The latest ones, oldest first, {@link keptAttemptsMax} at the most. */
  readonly attempts: readonly DeliveryAttempt[]
}

const types = { success: 'run.succeeded', failure: 'run.failed', cancelled: 'run.cancelled' } as const

/** What the end of a run is called. Not for runs that have not ended. */
export function webhookTypeOf({ state }: Pick<RunSummary, 'state'>): WebhookType {
  return state === 'success' || state === 'failure' ? types[state] : types.cancelled
}

/**
 * What is told of the end of a run, as JSON text: the same in each attempt, because its signature covers each character. It is kept until
 * it is delivered, and longer, so that it has no result where no texts may be kept.
 */
export function toWebhookBody(
  run: RunSummary,
  { metadata, content }: Pick<RunRequest, 'metadata' | 'content'>,
  outcome: RunOutcome,
  endedAtMs: number,
): string {
  const tenant = toldTenant(run.tenant)
  return JSON.stringify({
    type: webhookTypeOf(run),
    timestamp: toRfc3339(endedAtMs),
    data: {
      id: run.id,
      ...(tenant === undefined ? {} : { tenant }),
      tactic: run.tactic,
      tactic_id: run.tacticId,
      state: run.state,
      tags: run.tags,
      metadata,
      ...toOutcomeRecord(outcome, content !== 'none'),
      cost_usd: costUsd(run.cost),
      created_at: toRfc3339(run.createdAtMs),
      ended_at: toRfc3339(endedAtMs),
      batch_id: run.batchId,
    },
  })
}

function toOutcomeRecord(outcome: RunOutcome, tellsResult: boolean) {
  if (!outcome.ok) {
    const { code, message } = outcome.error
    return { error: { code, message: message.slice(0, messageLengthMax) } }
  }
  const result = outcome.result ?? null
  return tellsResult && JSON.stringify(result).length <= webhookResultLengthMax ? { result } : { result_omitted: true }
}
