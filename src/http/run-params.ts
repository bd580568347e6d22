import { z } from 'zod'
import { LllmError } from '../domain/errors.ts'
import { runId } from './fields.ts'
import { describeRequest } from './openapi/components.ts'
import { pathParameter } from './openapi/parameters.ts'
import { parse } from './parse.ts'

const params = z.strictObject({ id: runId })
const reason = z.strictObject({
  reason: z.string().min(1).max(256).optional().describe('Is kept with the run, and told to whoever asks.'),
})
/** What `POST …/cancel` takes. */
export const cancelRequestBody = {
  required: false,
  content: { 'application/json': { schema: describeRequest(reason) } },
} as const

const reasonDefault = 'somebody asked for it'

export const runIdParameter = pathParameter('id', 'The id of the run.')
export const batchIdParameter = pathParameter('id', 'The id of the batch.')

/** @throws LllmError `unknown-run` for an id that is none. */
export function parseRunId(given: unknown): string {
  return parseId(given, () => new LllmError('unknown-run', 'There is no such run.'))
}

/** @throws LllmError `unknown-batch` for an id that is none. */
export function parseBatchId(given: unknown): string {
  return parseId(given, () => new LllmError('unknown-batch', 'There is no such batch of runs.'))
}

function parseId(given: unknown, unknown: () => LllmError): string {
  const parsed = params.safeParse(given)
  if (!parsed.success) throw unknown()
  return parsed.data.id
}

/** Why something is cancelled. The body may be left out. */
export function parseReason(body: unknown): string {
  return parse(reason, body ?? {}, 'body').reason ?? reasonDefault
}

const waitMaxMs = 60_000
const waitRange = `must be a whole number from 1 to ${waitMaxMs}`

export const waitQuery = z.strictObject({
  timeout_ms: z
    .string()
    .regex(/^\d{1,5}$/, waitRange)
    .transform(Number)
    .pipe(z.int().min(1, waitRange).max(waitMaxMs, waitRange))
    .default(30_000)
    .describe('Milliseconds to wait at most; 30000 when left out.')
    .meta({ type: 'integer', pattern: undefined, minimum: 1, maximum: waitMaxMs }),
})
