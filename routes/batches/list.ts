import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery } from '../../src/http/openapi/parameters.ts'
import { batchesQuery, parseBatchesQuery, toRunCursor } from '../../src/http/run-query.ts'
import { toRunBatchRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'listBatches',
  access: 'sessions:read',
  summary: 'List batches of runs, newest first',
  tags: ['Runs'],
  parameters: describeQuery(batchesQuery),
  responses: { 200: jsonResponse('A page of batches.', componentRef('RunBatchList')) },
  errors: ['invalid-parameter', 'store-unavailable'],
}

export default async function list(server: FastifyInstance) {
  server.get('', { config: { operation } }, async (request) => {
    const { limit, after } = parseBatchesQuery(request.query)
    const { data, next } = await houseOf(request).runs.batches(limit, after)
    return { data: data.map(toRunBatchRecord), next_cursor: toRunCursor(next) }
  })
}
