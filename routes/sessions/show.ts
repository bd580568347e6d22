import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { missingSession, parseSessionId, sessionIdParameter } from '../../src/http/session-id.ts'

const operation: Operation = {
  operationId: 'getSession',
  access: 'sessions:read',
  summary: 'Show a session',
  tags: ['Sessions'],
  parameters: [sessionIdParameter],
  responses: { 200: jsonResponse('The whole tree.', componentRef('Session')) },
  errors: ['invalid-parameter', 'unknown-session', 'session-expired', 'store-unavailable'],
}

export default async function show(server: FastifyInstance) {
  server.get('/:id', { config: { operation } }, async (request) => {
    const id = parseSessionId(request.params)
    const { sessions } = houseOf(request)
    const session = await sessions.get(id)
    if (session === undefined) throw await missingSession(sessions, id)
    return session
  })
}
