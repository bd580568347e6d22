import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../src/http/access.ts'
import { batchesToChange } from '../../src/http/changeable.ts'
import { changedRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import {
  batchIdParameter,
  bodyErrors,
  cancelRequestBody,
  parseBatchId,
  parseReason,
} from '../../src/http/run-params.ts'
import { toChangedBatch } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'cancelBatch',
  access: 'call',
  summary: 'Cancel all runs of a batch that have not ended',
  tags: ['Runs'],
  parameters: [batchIdParameter],
  requestBody: cancelRequestBody,
  responses: {
    202: jsonResponse(
      'Those that wait are cancelled; those under way end soon.',
      changedRef('RunBatch', 'ChangedRunBatch'),
    ),
  },
  errors: [...bodyErrors, 'unknown-batch', 'store-unavailable'],
}

export default async function cancel(server: FastifyInstance) {
  server.post('/:id/cancel', { config: { operation } }, async (request, reply) => {
    const id = parseBatchId(request.params)
    const reason = parseReason(request.body)
    const batch = await (await batchesToChange(request, id)).cancelBatch(id, reason)
    return reply.code(202).send(toChangedBatch(batch, callerOf(request)))
  })
}
