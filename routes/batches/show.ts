import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { batchIdParameter, parseBatchId } from '../../src/http/run-params.ts'
import { toRunBatchRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'getBatch',
  access: 'sessions:read',
  summary: 'One batch: how many of its runs are in each state, and what they cost',
  tags: ['Runs'],
  parameters: [batchIdParameter],
  responses: { 200: jsonResponse('The batch.', componentRef('RunBatch')) },
  errors: ['unknown-batch', 'store-unavailable'],
}

export default async function show(server: FastifyInstance) {
  server.get('/:id', { config: { operation } }, async (request) => {
    return toRunBatchRecord(await houseOf(request).runs.batch(parseBatchId(request.params)))
  })
}
