import type { z } from 'zod'
import type { JsonSchema } from '../../domain/json.ts'
import type { CallSchemas } from '../call-request.ts'
import { jsonLinesMediaTypes } from '../json-lines.ts'
import { describeRequest } from './components.ts'
import { componentRef, type MediaType, type Operation } from './operation.ts'
import { resultName, taskName } from './tactic-schemas.ts'
import type { TitledTactic } from './tactic-titles.ts'

/** What is sent to a tactic and what comes back, in the types of that tactic. Calls and streams have them in common. */

type RequestBody = NonNullable<Operation['requestBody']>

const sessionId = { type: 'string', description: 'Look it up under /sessions.' }
const costUsd = { type: ['number', 'null'], description: 'In USD. Null where nothing could be priced.' }
const session = {
  anyOf: [componentRef('Session'), componentRef('SessionSummary')],
  description: 'Present when it was asked for.',
}

export function callBody(titled: TitledTactic, schemas: CallSchemas): RequestBody {
  return taskBody(titled, schemas.call)
}

export function runBody(titled: TitledTactic, schemas: CallSchemas): RequestBody {
  return taskBody(titled, schemas.run)
}

function taskBody(titled: TitledTactic, envelope: z.ZodType): RequestBody {
  const { configs, tactic } = titled.tactic
  const schema = withTask(describeRequest(envelope), 'task', componentRef(taskName(titled)), configs)
  const examples = tactic.spec.examples.map((task) => ({ task }))
  return { required: true, content: { 'application/json': { schema, ...toExamples(examples) } } }
}

export function batchBody(titled: TitledTactic, schemas: CallSchemas): RequestBody {
  return tasksBody(titled, schemas.batch)
}

/** Of a body of lines the schema is that of a line, as with answers that come line by line. */
export function runBatchBody(titled: TitledTactic, schemas: CallSchemas): RequestBody {
  const { required, content } = tasksBody(titled, schemas.runBatch)
  const line = { schema: componentRef(taskName(titled)) }
  return { required, content: { ...content, ...Object.fromEntries(jsonLinesMediaTypes.map((type) => [type, line])) } }
}

function tasksBody(titled: TitledTactic, envelope: z.ZodType): RequestBody {
  const { configs, tactic } = titled.tactic
  const request = describeRequest(envelope)
  const { tasks: general } = request['properties'] as Readonly<Record<string, JsonSchema>>
  const tasks = { ...general, type: 'array', minItems: 1, items: componentRef(taskName(titled)) }
  const examples = tactic.spec.examples.length === 0 ? [] : [{ tasks: tactic.spec.examples }]
  const schema = withTask(request, 'tasks', tasks, configs)
  return { required: true, content: { 'application/json': { schema, ...toExamples(examples) } } }
}

/** What a call that succeeded answers. */
export function callAnswer(titled: TitledTactic): JsonSchema {
  return {
    type: 'object',
    required: ['result', 'session_id', 'cost_usd'],
    properties: { result: componentRef(resultName(titled)), session_id: sessionId, cost_usd: costUsd, session },
  }
}

/** What a batch tells of one of its tasks. */
export function batchItem(titled: TitledTactic): JsonSchema {
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

/** What a batch comes to. */
export const batchSums = { counts: componentRef('BatchCounts'), cost_usd: costUsd }

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
