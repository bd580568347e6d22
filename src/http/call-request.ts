import { z } from 'zod'
import { budgetUsd, callLimits, configName, metadata, returnSession, tags, task } from './fields.ts'
import type { HttpSettings } from './http-app.ts'
import { createRunSchemas } from './run-request.ts'

/** The workers of a batch that asks for none. */
const workersDefault = 4

const made = new WeakMap<HttpSettings, CallSchemas>()

/** The shapes of what callers post, within the bounds of the settings. Made once for all routes: making them takes longer than using them. */
export function callSchemasOf(settings: HttpSettings): CallSchemas {
  const schemas = made.get(settings) ?? createCallSchemas(settings)
  made.set(settings, schemas)
  return schemas
}

function createCallSchemas(settings: HttpSettings) {
  const { timeoutMs, batchTasksMax, batchWorkersMax } = settings
  const common = {
    config: configName.optional(),
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
    task,
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
  return { call, batch, ...createRunSchemas(settings) }
}

export type CallSchemas = ReturnType<typeof createCallSchemas>
export type CallRequest = z.output<CallSchemas['call']>
export type BatchRequest = z.output<CallSchemas['batch']>
export type ReturnSession = CallRequest['return_session']
