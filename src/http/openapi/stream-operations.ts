import type { CallSchemas } from '../call-request.ts'
import { componentRef, type Operation } from './operation.ts'
import { batchBody, batchItem, batchSums, callAnswer, callBody } from './tactic-bodies.ts'
import { refusals, simulatedHeader } from './tactic-operations.ts'
import type { TitledTactic } from './tactic-titles.ts'

/** The data of events, by the names of components. */
const eventNames = [
  'SessionStarted',
  'TacticStarted',
  'TacticCompleted',
  'AgentStarted',
  'AgentDelta',
  'AgentCompleted',
  'ToolStarted',
  'ToolCompleted',
  'Progress',
  'StreamEnd',
] as const

/** Describes `POST /tactics/{name}/stream` for one tactic. OpenAPI 3.1 has no words for events: the schema is that of their data. */
export function describeStream(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  return {
    operationId: `stream${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Call ${tactic.address} and follow it`,
    description:
      'Server-sent events: what happens in the call, as it happens. The last but one is `result`, which has what the ' +
      'call would have answered, or `error`, which has a problem; the last one is `end`.',
    tags: ['Tactics'],
    requestBody: callBody(titled, schemas),
    responses: {
      200: {
        description: 'The call has begun. The schema is that of the data of each event.',
        headers: simulatedHeader,
        content: {
          'text/event-stream': {
            schema: {
              anyOf: [
                ...eventNames.map(componentRef),
                { ...callAnswer(titled), description: '`result`' },
                problemEvent,
              ],
            },
          },
        },
      },
    },
    errors: ['invalid-parameter', ...refusals],
  }
}

const problemEvent = { ...componentRef('Problem'), description: '`error`' }

/** The data of the events of any run. */
export const runEventData = {
  anyOf: [
    ...[...eventNames, 'RunResumed'].map(componentRef),
    {
      type: 'object',
      required: ['result', 'session_id', 'cost_usd'],
      properties: {
        result: {},
        session_id: { type: 'string' },
        cost_usd: { type: ['number', 'null'] },
      },
      description: '`result`',
    },
    problemEvent,
  ],
}

/** Describes `POST /tactics/{name}/batch/stream` for one tactic. The schema is that of a line. */
export function describeBatchStream(titled: TitledTactic, schemas: CallSchemas): Operation {
  const { tactic, title } = titled
  return {
    operationId: `streamBatch${title}`,
    access: 'call',
    tactic: tactic.name,
    summary: `Call ${tactic.address} for many tasks and follow them`,
    description:
      'A line of JSON for each task, as it completes. The last line has `"end": true` and what the batch comes to.',
    tags: ['Tactics'],
    requestBody: batchBody(titled, schemas),
    responses: {
      200: {
        description: 'The batch has begun. The schema is that of each line.',
        headers: simulatedHeader,
        content: {
          'application/x-ndjson': {
            schema: {
              anyOf: [
                batchItem(titled),
                {
                  type: 'object',
                  required: ['end', 'counts', 'cost_usd'],
                  properties: {
                    end: { type: 'boolean', const: true },
                    ...batchSums,
                    error: { ...componentRef('Problem'), description: 'Present when the service itself failed.' },
                  },
                },
              ],
            },
          },
        },
      },
    },
    errors: ['invalid-parameter', ...refusals],
  }
}
