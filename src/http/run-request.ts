import { z } from 'zod'
import { parseLimits } from '../domain/config-limits.ts'
import { budgetUsdMax } from '../domain/limits.ts'
import { batchRunsMax } from '../runs/create-runs.ts'
import type { RunOptions } from '../runs/runs.ts'
import { budgetUsd, callLimits, configName, metadata, tags, task, time } from './fields.ts'
import type { HttpSettings } from './http-app.ts'
import { numberText, wholeNumberText } from './number-text.ts'

const priorityMax = 1_000
const webhookUrl = z
  .url({ protocol: /^https?$/, message: 'must be an http or https URL' })
  .max(2_048)
  .describe('Where the end of a run is told.')
const runBudgetText = 'USD that each of the runs may cost, sub-tactics and retries included. It is not their sum.'
const told = {
  timeout: 'Milliseconds from the first start of a run until it ends as deadline-exceeded, restarts included.',
  priority: 'Of two runs of the tenant that are due, the one with more is started first.',
  runAt: 'It is not started before this time (RFC 3339), which is within 366 days. Left out: at once.',
}

/** Tasks that a batch of runs may have: as many as any batch, as long as a store takes them at once. */
export function runBatchTasksMax({ batchTasksMax }: Pick<HttpSettings, 'batchTasksMax'>): number {
  return Math.min(batchTasksMax, batchRunsMax)
}

/** What may be said of each run. */
function createRunFields({ runTimeoutMs }: Pick<HttpSettings, 'runTimeoutMs'>) {
  return {
    config: configName.optional(),
    tags: tags.optional(),
    metadata: metadata.optional(),
    timeout_ms: z.int().min(1).max(runTimeoutMs).default(runTimeoutMs).describe(told.timeout),
    limits: callLimits.optional(),
    priority: z.int().min(-priorityMax).max(priorityMax).default(0).describe(told.priority),
    run_at: time.optional().describe(told.runAt),
    webhook: z.strictObject({ url: webhookUrl }).optional(),
  }
}

/** The shape of what is posted to be run in the background, once. */
export function createRunSchema(settings: Pick<HttpSettings, 'runTimeoutMs'>) {
  return z.strictObject({ task, ...createRunFields(settings), budget_usd: budgetUsd.optional() })
}

/** The shapes of all that is posted to be run in the background. */
export function createRunSchemas(settings: Pick<HttpSettings, 'runTimeoutMs' | 'batchTasksMax'>) {
  const { runTimeoutMs } = settings
  const runBatch = z.strictObject({
    tasks: z
      .array(z.unknown())
      .min(1)
      .max(runBatchTasksMax(settings))
      .describe('The tasks, a run for each. All are judged before any is queued.'),
    ...createRunFields(settings),
    run_budget_usd: budgetUsd.optional().describe(runBudgetText),
  })
  /** What goes with tasks that come a line each, as the query. Tags are judged apart: `tag.KEY=VALUE`. */
  const runLines = z.strictObject({
    config: configName.optional(),
    timeout_ms: wholeNumberText(1, runTimeoutMs).default(runTimeoutMs).describe(told.timeout),
    priority: wholeNumberText(-priorityMax, priorityMax).default(0).describe(told.priority),
    run_at: time.optional().describe(told.runAt),
    run_budget_usd: numberText(budgetUsdMax).optional().describe(runBudgetText),
    webhook: webhookUrl.optional(),
  })
  return { run: createRunSchema(settings), runBatch, runLines }
}

type RunSchemas = ReturnType<typeof createRunSchemas>
export type RunRequest = z.output<RunSchemas['run']>
export type RunBatchRequest = z.output<RunSchemas['runBatch']>

/** What is asked of each run, beside what it works on. `budgetUsd` is that of one run, however it was asked for. */
export function toRunOptions(
  asked: Omit<RunRequest, 'task' | 'config' | 'budget_usd'>,
  budgetUsd: number | undefined,
): RunOptions {
  const { tags = {}, metadata = {}, limits, run_at: runAtMs, priority, timeout_ms: timeoutMs, webhook } = asked
  return {
    tags,
    metadata,
    priority,
    timeoutMs,
    ...(limits === undefined ? {} : { limits: parseLimits(limits) }),
    ...(runAtMs === undefined ? {} : { runAtMs }),
    ...(webhook === undefined ? {} : { webhook }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
  }
}
