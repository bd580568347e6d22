import type { FastifyInstance } from 'fastify'
import { jsonLinesMediaTypes } from '../../src/http/json-lines.ts'
import { componentRef, type Operation } from '../../src/http/openapi/operation.ts'
import { batchIdParameter, parseBatchId } from '../../src/http/run-params.ts'
import { streamRunResults } from '../../src/http/run-results.ts'

const [jsonLines] = jsonLinesMediaTypes

const operation: Operation = {
  operationId: 'getBatchResults',
  access: 'sessions:read',
  summary: 'What the runs of a batch came to, a line each, in the order of the tasks',
  description: 'Runs that have not ended are told with their state. The schema is that of a line.',
  tags: ['Runs'],
  parameters: [batchIdParameter],
  responses: {
    200: { description: 'Lines of JSON.', content: { [jsonLines]: { schema: componentRef('RunResult') } } },
  },
  errors: ['unknown-batch', 'store-unavailable'],
}

export default async function results(server: FastifyInstance) {
  server.get('/:id/results', { config: { operation, produces: [jsonLines] } }, (request, reply) =>
    streamRunResults(request, reply, parseBatchId(request.params), jsonLines),
  )
}
