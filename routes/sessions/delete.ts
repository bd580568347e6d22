import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import type { Operation } from '../../src/http/openapi/operation.ts'
import { parseSessionId, sessionIdParameter, unknownSession } from '../../src/http/session-id.ts'

const operation: Operation = {
  operationId: 'deleteSession',
  access: 'admin',
  summary: 'Delete a session',
  tags: ['Sessions'],
  parameters: [sessionIdParameter],
  responses: { 204: { description: 'It is gone, and its costs with it.' } },
  errors: ['invalid-parameter', 'unknown-session', 'store-unavailable'],
}

export default async function remove(server: FastifyInstance) {
  server.delete('/:id', { config: { operation } }, async (request, reply) => {
    const id = parseSessionId(request.params)
    if (!(await houseOf(request).sessions.delete(id))) throw unknownSession(id)
    return reply.code(204).send()
  })
}
