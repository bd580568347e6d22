import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { toSessionCostAnswer } from '../../src/http/cost-answer.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parseSessionId, sessionIdParameter, unknownSession } from '../../src/http/session-id.ts'

const operation: Operation = {
  operationId: 'getSessionCost',
  access: 'costs:read',
  summary: 'What a session cost',
  tags: ['Sessions'],
  parameters: [sessionIdParameter],
  responses: {
    200: jsonResponse('Its total, and a line for each tactic, agent and model.', componentRef('SessionCost')),
  },
  errors: ['invalid-parameter', 'unknown-session', 'store-unavailable'],
}

export default async function cost(server: FastifyInstance) {
  server.get('/:id/cost', { config: { operation } }, async (request) => {
    const id = parseSessionId(request.params)
    const lines = await houseOf(request).sessions.costOf(id)
    if (lines === undefined) throw unknownSession(id)
    return toSessionCostAnswer(id, lines)
  })
}
