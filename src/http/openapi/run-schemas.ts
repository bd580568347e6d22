import { z } from 'zod'
import { runStates } from '../../domain/run.ts'
import { cost, costUsd, count } from './cost-schemas.ts'
import { problem } from './service-schemas.ts'
import { time } from './session-schemas.ts'

const state = z.enum(runStates)
const anything = z.unknown()
const tags = z.record(z.string(), z.string())

export const runListItem = z
  .object({
    id: z.string(),
    tactic: z.string(),
    tactic_id: z.string().describe('`package::name`'),
    state,
    attempt: count.describe('How often it was started. More than once: its process ended, or it was resumed.'),
    priority: z.int(),
    created_at: time,
    run_at: time.describe('It is not started before.'),
    started_at: time.nullable(),
    ended_at: time.nullable(),
    duration_ms: z.number().min(0).nullable(),
    cancel_reason: z.string().nullable(),
    batch_id: z.string().nullable(),
    batch_index: count.nullable().describe('The place of its task in the batch, from 0.'),
    schedule: z.string().nullable().describe('The name of the schedule that started it.'),
    session_id: z.string().describe('The id of the run. Once it has ended, its session is found by it.'),
    tags,
    llm_calls: count.describe('Requests that reached a provider, once it has ended.'),
    cost_usd: costUsd,
  })
  .describe('A run in a list.')

export const run = runListItem
  .extend({
    metadata: z.record(z.string(), anything),
    expired: z
      .boolean()
      .describe(
        'Whether its texts are not kept any more: what it was about and came to is null then, and it cannot go on.',
      ),
    config: z.string().nullable(),
    timeout_ms: count.nullable(),
    budget_usd: z.number().nullable(),
    limits: z.object({ tokens: count.optional(), llm_calls: count.optional(), depth: count.optional() }),
    webhook: z.object({ url: z.string() }).nullable().describe('Where its end is told.'),
    task: anything,
    result: anything.describe('Null unless it succeeded, and once it is expired.'),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    cost: cost.describe('Of the whole tree, once it has ended.'),
    content: z
      .enum(['redacted', 'none'])
      .optional()
      .describe('What is kept of its texts once it has ended. Left out: all of them. `none`: its result alone.'),
  })
  .describe('A call that outlives its caller and its process.')

export const changedRun = runListItem
  .omit({ tags: true })
  .describe('A run, as those are told of it who may change it, but lack `sessions:read`.')

export const runList = z
  .object({ data: z.array(runListItem), next_cursor: z.string().nullable().describe('Null on the last page.') })
  .describe('A page of runs, newest first.')

export const runBatch = z
  .object({
    id: z.string(),
    tactic: z.string(),
    tactic_id: z.string(),
    tags,
    created_at: time,
    counts: z.object({ queued: count, running: count, success: count, failure: count, cancelled: count }),
    cost: cost.describe('The sum of the runs that have ended.'),
    cost_usd: costUsd,
  })
  .describe('Many runs that were submitted together.')

export const changedRunBatch = runBatch
  .omit({ tags: true })
  .describe('A batch, as those are told of it who may change it, but lack `sessions:read`.')

export const runBatchList = z
  .object({ data: z.array(runBatch), next_cursor: z.string().nullable().describe('Null on the last page.') })
  .describe('A page of batches, newest first.')

export const runResult = z
  .object({
    index: count,
    run_id: z.string(),
    status: z.enum([...runStates, 'expired']).describe('`expired`: what it came to is not kept any more.'),
    result: anything.optional().describe('Present when it succeeded.'),
    error: problem.optional().describe('Present when it failed or was cancelled.'),
    cost_usd: costUsd,
  })
  .describe('A line of the results of a batch.')

export const runResumed = z
  .object({ session_id: z.string() })
  .describe('`run.resumed`: the run had ended, and goes on.')
