import type { FastifyInstance } from 'fastify'
import { toSessionCostAnswer } from '../../src/http/cost-answer.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parseSessionId, sessionIdParameter, unknownSession } from '../../src/http/session-id.ts'

const operation: Operation = {
  operationId: 'getSessionCost',
  summary: 'What a session cost',
  tags: ['Sessions'],
  parameters: [sessionIdParameter],
  responses: {
    200: jsonResponse('Its total, and a line for each tactic, agent and model.', componentRef('SessionCost')),
  },
  errors: ['invalid-parameter', 'unknown-session', 'store-unavailable'],
}

export default async function cost(server: FastifyInstance) {
  const { store } = server.lllm
  server.get('/:id/cost', { config: { operation } }, async (request) => {
    const id = parseSessionId(request.params)
    const lines = await store.costOf(id)
    if (lines === undefined) throw unknownSession(id)
    return toSessionCostAnswer(id, lines)
  })
}
