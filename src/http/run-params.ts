import { z } from 'zod'
import { type ErrorCode, LllmError } from '../domain/errors.ts'
import { sessionIdPattern } from '../domain/session.ts'
import { runId } from './fields.ts'
import { wholeNumberText } from './number-text.ts'
import { describeRequest } from './openapi/components.ts'
import { pathParameter } from './openapi/parameters.ts'
import { parse } from './parse.ts'

const params = z.strictObject({ id: runId })
const deliveryParams = z.strictObject({ id: runId, delivery_id: z.string().regex(sessionIdPattern) })
const reason = z.strictObject({
  reason: z.string().min(1).max(256).optional().describe('Is kept with the run, and told to whoever asks.'),
})
/** What a route takes that has nothing to be told. */
export const noBody = z.strictObject({})
/** What can be wrong with a body, also where it may be left out. */
export const bodyErrors = [
  'malformed-json',
  'invalid-request',
  'payload-too-large',
  'unsupported-media-type',
] as const satisfies readonly ErrorCode[]
/** What `POST …/cancel` takes. */
export const cancelRequestBody = {
  required: false,
  content: { 'application/json': { schema: describeRequest(reason) } },
} as const

const reasonDefault = 'somebody asked for it'

export const runIdParameter = pathParameter('id', 'The id of the run.')
export const deliveryIdParameter = pathParameter('delivery_id', 'The id of the delivery.')
export const batchIdParameter = pathParameter('id', 'The id of the batch.')

/** @throws LllmError `unknown-run` for an id that is none. */
export function parseRunId(given: unknown): string {
  return parseId(given, () => new LllmError('unknown-run', 'There is no such run.'))
}

/** @throws LllmError `unknown-batch` for an id that is none. */
export function parseBatchId(given: unknown): string {
  return parseId(given, () => new LllmError('unknown-batch', 'There is no such batch of runs.'))
}

/** @throws LllmError `unknown-delivery` for ids of which one is none. */
export function parseDeliveryParams(given: unknown) {
  const parsed = deliveryParams.safeParse(given)
  if (!parsed.success) throw new LllmError('unknown-delivery', 'The run has no such delivery.')
  return { runId: parsed.data.id, deliveryId: parsed.data.delivery_id }
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

export const waitQuery = z.strictObject({
  timeout_ms: wholeNumberText(1, 60_000).default(30_000).describe('Milliseconds to wait at most; 30000 when left out.'),
})
