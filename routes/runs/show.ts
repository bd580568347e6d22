import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parseRunId, runIdParameter } from '../../src/http/run-params.ts'
import { toRunRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'getRun',
  access: 'sessions:read',
  summary: 'One run',
  tags: ['Runs'],
  parameters: [runIdParameter],
  responses: { 200: jsonResponse('The run.', componentRef('Run')) },
  errors: ['unknown-run', 'store-unavailable'],
}

export default async function show(server: FastifyInstance) {
  server.get('/:id', { config: { operation } }, async (request) => {
    return toRunRecord(await houseOf(request).runs.get(parseRunId(request.params)))
  })
}
