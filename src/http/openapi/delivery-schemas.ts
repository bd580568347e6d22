import { z } from 'zod'
import { count } from './cost-schemas.ts'
import { time } from './session-schemas.ts'

const attempt = z.object({
  started_at: time,
  duration_ms: z.number().min(0),
  status: z.int().nullable().describe('What the receiver answered; null when it did not.'),
  fault: z
    .enum(['timeout', 'unreachable', 'address-refused', 'interrupted'])
    .nullable()
    .describe('Why no answer came; null when one did.'),
})

export const delivery = z
  .object({
    id: z.string().describe('The `webhook-id` of each of its attempts.'),
    run_id: z.string(),
    type: z.enum(['run.succeeded', 'run.failed', 'run.cancelled']),
    url: z.string(),
    state: z
      .enum(['pending', 'delivered', 'failed'])
      .describe('`failed`: nobody tries any more, unless it is asked for.'),
    created_at: time,
    next_attempt_at: time.nullable(),
    attempt_count: count,
    attempts: z.array(attempt).describe('The latest ones, oldest first.'),
  })
  .describe('The end of a run, as it is told at a URL.')

export const changedDelivery = delivery
  .omit({ url: true })
  .describe('A delivery, as those are told of it who may change the run, but lack `sessions:read`.')

export const deliveryList = z.object({ data: z.array(delivery) }).describe('The deliveries of a run, oldest first.')
