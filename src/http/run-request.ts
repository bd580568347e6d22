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
  priority: 'Of two runs that are due, the one with more is started first.',
  runAt: 'It is not started before this time (RFC 3339). Left out: at once.',
}

/** The shapes of what is posted to be run in the background. */
export function createRunSchemas({ runTimeoutMs }: Pick<HttpSettings, 'runTimeoutMs'>) {
  const common = {
    config: configName.optional(),
    tags: tags.optional(),
    metadata: metadata.optional(),
    timeout_ms: z.int().min(1).max(runTimeoutMs).default(runTimeoutMs).describe(told.timeout),
    limits: callLimits.optional(),
    priority: z.int().min(-priorityMax).max(priorityMax).default(0).describe(told.priority),
    run_at: time.optional().describe(told.runAt),
    webhook: z.strictObject({ url: webhookUrl }).optional(),
  }
  const run = z.strictObject({ task, ...common, budget_usd: budgetUsd.optional() })
  const runBatch = z.strictObject({
    tasks: z
      .array(z.unknown())
      .min(1)
      .max(batchRunsMax)
      .describe('The tasks, a run for each. All are judged before any is queued.'),
    ...common,
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
  return { run, runBatch, runLines }
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
