import { z } from 'zod'
import { budgetUsd, callLimits, metadata, name, returnSession, tags, time } from './fields.ts'
import type { HttpSettings } from './http-app.ts'

/** The workers of a batch that asks for none. */
const workersDefault = 4

/** The shapes of what callers post. Made once, because they hold the bounds of the settings. */
export function createCallSchemas({ timeoutMs, runTimeoutMs, batchTasksMax, batchWorkersMax }: HttpSettings) {
  const common = {
    config: name.optional().describe("One of the tactic's configs. Left out: its default."),
    tags: tags.optional(),
    metadata: metadata.optional(),
    timeout_ms: z
      .int()
      .min(1)
      .max(timeoutMs)
      .default(timeoutMs)
      .describe('Milliseconds until the call ends as deadline-exceeded.'),
    budget_usd: budgetUsd.optional(),
  }
  const call = z.strictObject({
    task: z.unknown().refine((task) => task !== undefined, 'is required'),
    ...common,
    limits: callLimits.optional(),
    return_session: returnSession.default(false),
  })
  const batch = z.strictObject({
    tasks: z
      .array(z.unknown())
      .min(1)
      .max(batchTasksMax)
      .describe('The tasks. All are judged before the first one starts.'),
    ...common,
    return_sessions: returnSession.default(false),
    max_workers: z
      .int()
      .min(1)
      .max(batchWorkersMax)
      .default(Math.min(workersDefault, batchWorkersMax))
      .describe('Tasks under way at once.'),
    fail_fast: z.boolean().default(false).describe('Whether the first failure in time ends the batch.'),
  })
  const { config, tags: runTags, metadata: runMetadata } = common
  const commonOfRuns = {
    config,
    tags: runTags,
    metadata: runMetadata,
    timeout_ms: z
      .int()
      .min(1)
      .max(runTimeoutMs)
      .default(runTimeoutMs)
      .describe('Milliseconds from the first start of a run until it ends as deadline-exceeded, restarts included.'),
    limits: callLimits.optional(),
    priority: z
      .int()
      .min(-1_000)
      .max(1_000)
      .default(0)
      .describe('Of two runs that are due, the one with more is started first.'),
    run_at: time.optional().describe('It is not started before this time (RFC 3339). Left out: at once.'),
  }
  const run = z.strictObject({ task: call.shape.task, ...commonOfRuns, budget_usd: budgetUsd.optional() })
  const runBatch = z.strictObject({
    tasks: batch.shape.tasks.describe('The tasks, a run for each. All are judged before any is queued.'),
    ...commonOfRuns,
    run_budget_usd: budgetUsd
      .optional()
      .describe('USD that each of the runs may cost, sub-tactics and retries included.'),
  })
  return { call, batch, run, runBatch }
}

export type CallSchemas = ReturnType<typeof createCallSchemas>
export type CallRequest = z.output<CallSchemas['call']>
export type BatchRequest = z.output<CallSchemas['batch']>
export type RunRequest = z.output<CallSchemas['run']>
export type RunBatchRequest = z.output<CallSchemas['runBatch']>
export type ReturnSession = CallRequest['return_session']
