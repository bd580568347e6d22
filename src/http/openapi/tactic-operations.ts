import type { JsonSchema } from '../../domain/json.ts'
import type { CallSchemas } from '../call-request.ts'
import { describeRequest } from './components.ts'
import { componentRef, jsonResponse, type MediaType, type Operation } from './operation.ts'
import { resultName, taskName } from './tactic-schemas.ts'
import type { TitledTactic } from './tactic-titles.ts'

const sessionId = { type: 'string', description: 'Look it up under /sessions.' }
const costUsd = { type: ['number', 'null'], description: 'In USD. Null where nothing could be priced.' }
const session = {
  anyOf: [componentRef('Session'), componentRef('SessionSummary')],
  description: 'Present when it was asked for.',
}
const simulatedHeader = { 'lllm-simulated': { $ref: '#/components/headers/Simulated' } }

const refusals = [
  'malformed-json',
  'invalid-request',
  'invalid-task',
  'unknown-config',
  'payload-too-large',
  'unsupported-media-type',
  'draining',
  'overloaded',
] as const
const failures = [
  'tactic-failed',
  'invalid-result',
  'reply-unusable',
  'provider-failed',
  'provider-rejected',
  'provider-rate-limited',
  'deadline-exceeded',
  'cancelled',
  'dialog-misuse',
  'missing-variables',
] as const

/** Describes `POST /tactics/{name}` for one tactic. */
export function describeCall(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  const { description, examples } = tactic.tactic.spec
  return {
    operationId: `call${title}`,
    summary: `Call ${tactic.name}`,
    ...(description === undefined ? {} : { description }),
    tags: ['Tactics'],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: withTask(describeRequest(schemas.call), 'task', componentRef(taskName(titled)), tactic.configs),
          ...toExamples(examples.map((task) => ({ task }))),
        },
      },
    },
    responses: {
      200: jsonResponse(
        'The call succeeded.',
        {
          type: 'object',
          required: ['result', 'session_id', 'cost_usd'],
          properties: { result: componentRef(resultName(titled)), session_id: sessionId, cost_usd: costUsd, session },
        },
        simulatedHeader,
      ),
    },
    errors: [...refusals, ...failures],
  }
}

/** Describes `POST /tactics/{name}/batch` for one tactic. */
export function describeBatch(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  const tasks = { type: 'array', minItems: 1, items: componentRef(taskName(titled)) }
  const request = describeRequest(schemas.batch)
  const { tasks: general } = request['properties'] as Readonly<Record<string, JsonSchema>>
  return {
    operationId: `batch${title}`,
    summary: `Call ${tactic.name} for many tasks`,
    description: 'All tasks are judged before the first one starts. A task that fails is told in its item.',
    tags: ['Tactics'],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: withTask(request, 'tasks', { ...general, ...tasks }, tactic.configs),
          ...toExamples(tactic.tactic.spec.examples.length === 0 ? [] : [{ tasks: tactic.tactic.spec.examples }]),
        },
      },
    },
    responses: {
      200: jsonResponse(
        'Every task was dealt with; the items tell how, in the order of the tasks.',
        {
          type: 'object',
          required: ['items', 'counts', 'cost_usd'],
          properties: {
            items: { type: 'array', items: describeItem(titled) },
            counts: componentRef('BatchCounts'),
            cost_usd: costUsd,
          },
        },
        simulatedHeader,
      ),
    },
    errors: refusals,
  }
}

function describeItem(titled: TitledTactic): JsonSchema {
  return {
    type: 'object',
    required: ['index', 'status', 'session_id', 'cost_usd'],
    properties: {
      index: { type: 'integer', minimum: 0 },
      status: { type: 'string', enum: ['success', 'failure', 'cancelled', 'skipped'] },
      result: componentRef(resultName(titled)),
      error: componentRef('Problem'),
      session_id: { ...sessionId, type: ['string', 'null'] },
      cost_usd: costUsd,
      session,
    },
  }
}

function withTask(
  request: JsonSchema,
  field: 'task' | 'tasks',
  schema: JsonSchema,
  configs: ReadonlyMap<string, unknown>,
): JsonSchema {
  const properties = request['properties'] as Readonly<Record<string, JsonSchema>>
  const names = [...configs.keys()]
  const config = { type: 'string', enum: names, default: names[0], description: properties['config']?.['description'] }
  return { ...request, required: [field], properties: { ...properties, [field]: schema, config } }
}

function toExamples(values: readonly unknown[]): Pick<MediaType, 'examples'> {
  if (values.length === 0) return {}
  return { examples: Object.fromEntries(values.map((value, index) => [`example${index + 1}`, { value }])) }
}
