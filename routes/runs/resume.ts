import type { FastifyInstance } from 'fastify'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parseRunId, runIdParameter } from '../../src/http/run-params.ts'
import { toRunRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'resumeRun',
  summary: 'Go on with a run that failed or was cancelled',
  tags: ['Runs'],
  parameters: [runIdParameter],
  responses: { 202: jsonResponse('It is queued again, and goes on from its finished calls.', componentRef('Run')) },
  errors: ['unknown-run', 'run-conflict', 'store-unavailable'],
}

export default async function resume(server: FastifyInstance) {
  const { runs } = server.lllm
  server.post('/:id/resume', { config: { operation } }, async (request, reply) => {
    const run = await runs.resume(parseRunId(request.params))
    return reply.code(202).send(toRunRecord(run))
  })
}
