import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import type { Operation } from '../../src/http/openapi/operation.ts'
import { parseRunId, runIdParameter } from '../../src/http/run-params.ts'

const operation: Operation = {
  operationId: 'deleteRun',
  access: 'admin',
  summary: 'Remove a run that has ended, with its session',
  tags: ['Runs'],
  parameters: [runIdParameter],
  responses: { 204: { description: 'It is removed.' } },
  errors: ['unknown-run', 'run-conflict', 'store-unavailable'],
}

export default async function remove(server: FastifyInstance) {
  server.delete('/:id', { config: { operation } }, async (request, reply) => {
    await houseOf(request).runs.delete(parseRunId(request.params))
    return reply.code(204).send()
  })
}
