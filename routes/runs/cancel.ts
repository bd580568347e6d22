import type { FastifyInstance } from 'fastify'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { bodyErrors, cancelRequestBody, parseReason, parseRunId, runIdParameter } from '../../src/http/run-params.ts'
import { toRunRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'cancelRun',
  summary: 'Cancel a run',
  tags: ['Runs'],
  parameters: [runIdParameter],
  requestBody: cancelRequestBody,
  responses: {
    202: jsonResponse('A run that waits is cancelled; one that is under way ends soon.', componentRef('Run')),
  },
  errors: [...bodyErrors, 'unknown-run', 'run-conflict', 'store-unavailable'],
}

export default async function cancel(server: FastifyInstance) {
  const { runs } = server.lllm
  server.post('/:id/cancel', { config: { operation } }, async (request, reply) => {
    const run = await runs.cancel(parseRunId(request.params), parseReason(request.body))
    return reply.code(202).send(toRunRecord(run))
  })
}
