import type { ErrorCode } from '../../domain/errors.ts'
import type { CallSchemas } from '../call-request.ts'
import { jsonResponse, type Operation } from './operation.ts'
import { batchBody, batchItem, batchSums, callAnswer, callBody } from './tactic-bodies.ts'
import type { TitledTactic } from './tactic-titles.ts'

export const simulatedHeader = { 'lllm-simulated': { $ref: '#/components/headers/Simulated' } }

/** What is told before anything has been spent. */
export const refusals: readonly ErrorCode[] = [
  'malformed-json',
  'invalid-request',
  'invalid-task',
  'unknown-config',
  'payload-too-large',
  'unsupported-media-type',
  'draining',
  'overloaded',
  // While it waited for its turn.
  'deadline-exceeded',
]
const failures: readonly ErrorCode[] = [
  'tactic-failed',
  'invalid-result',
  'reply-unusable',
  'remote-failed',
  'provider-failed',
  'provider-rejected',
  'provider-rate-limited',
  'budget-exceeded',
  'unpriced-model',
  // Where a standing budget cannot be written down.
  'store-unavailable',
  'cancelled',
  'dialog-misuse',
  'missing-variables',
]

/** Describes `POST /tactics/{name}` for one tactic. */
export function describeCall(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  const { description } = tactic.tactic.spec
  return {
    operationId: `call${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Call ${tactic.address}`,
    ...(description === undefined ? {} : { description }),
    tags: ['Tactics'],
    requestBody: callBody(titled, schemas),
    responses: { 200: jsonResponse('The call succeeded.', callAnswer(titled), simulatedHeader) },
    errors: [...refusals, ...failures],
  }
}

/** Describes `POST /tactics/{name}/batch` for one tactic. */
export function describeBatch(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  return {
    operationId: `batch${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Call ${tactic.address} for many tasks`,
    description: 'All tasks are judged before the first one starts. A task that fails is told in its item.',
    tags: ['Tactics'],
    requestBody: batchBody(titled, schemas),
    responses: {
      200: jsonResponse(
        'Every task was dealt with; the items tell how, in the order of the tasks.',
        {
          type: 'object',
          required: ['items', 'counts', 'cost_usd'],
          properties: { items: { type: 'array', items: batchItem(titled) }, ...batchSums },
        },
        simulatedHeader,
      ),
    },
    errors: refusals,
  }
}
