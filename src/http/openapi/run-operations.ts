import type { ErrorCode } from '../../domain/errors.ts'
import type { CallSchemas } from '../call-request.ts'
import { componentRef, jsonResponse, type Operation } from './operation.ts'
import { describeQuery, tagsParameter } from './parameters.ts'
import { runBatchBody, runBody } from './tactic-bodies.ts'
import { refusals, simulatedHeader } from './tactic-operations.ts'
import type { TitledTactic } from './tactic-titles.ts'

const notSubmitted: readonly ErrorCode[] = [
  ...refusals.filter((code) => code !== 'overloaded' && code !== 'deadline-exceeded'),
  'store-unavailable',
]
const submitted = { location: { $ref: '#/components/headers/Location' }, ...simulatedHeader }

/** Describes `POST /tactics/{name}/runs` for one tactic. */
export function describeSubmit(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  return {
    operationId: `run${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Run ${tactic.address} in the background`,
    description: 'The run is stored before the answer: it goes on whatever becomes of the caller or of this process.',
    tags: ['Runs'],
    requestBody: runBody(titled, schemas),
    responses: { 202: jsonResponse('The run is queued.', componentRef('Run'), submitted) },
    errors: notSubmitted,
  }
}

/** Describes `POST /tactics/{name}/batches` for one tactic. */
export function describeSubmitBatch(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  return {
    operationId: `runBatch${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Run ${tactic.address} in the background for many tasks`,
    description:
      'All tasks are judged before any is queued, and all are queued or none. A body of JSON lines has a task on each, of ' +
      'which the schema is told; then, and only then, the rest is said by the query.',
    tags: ['Runs'],
    parameters: [
      ...describeQuery(schemas.runLines),
      { ...tagsParameter, description: 'The tags of each run: `tag.KEY=VALUE`, any number of times.' },
    ],
    requestBody: runBatchBody(titled, schemas),
    responses: { 202: jsonResponse('The runs are queued.', componentRef('RunBatch'), submitted) },
    errors: ['invalid-parameter', ...notSubmitted],
  }
}
