import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../src/http/access.ts'
import { runsToChange } from '../../src/http/changeable.ts'
import { changedRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { bodyErrors, cancelRequestBody, parseReason, parseRunId, runIdParameter } from '../../src/http/run-params.ts'
import { toChangedRun } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'cancelRun',
  access: 'call',
  summary: 'Cancel a run',
  tags: ['Runs'],
  parameters: [runIdParameter],
  requestBody: cancelRequestBody,
  responses: {
    202: jsonResponse(
      'A run that waits is cancelled; one that is under way ends soon.',
      changedRef('Run', 'ChangedRun'),
    ),
  },
  errors: [...bodyErrors, 'unknown-run', 'run-conflict', 'store-unavailable'],
}

export default async function cancel(server: FastifyInstance) {
  server.post('/:id/cancel', { config: { operation } }, async (request, reply) => {
    const id = parseRunId(request.params)
    const reason = parseReason(request.body)
    const run = await (await runsToChange(request, id)).cancel(id, reason)
    return reply.code(202).send(toChangedRun(run, callerOf(request)))
  })
}
