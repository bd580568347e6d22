import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { toTacticRecord } from '../../src/http/tactic-record.ts'

const operation: Operation = {
  operationId: 'listTactics',
  access: 'caller',
  summary: 'List the tactics',
  tags: ['Tactics'],
  responses: { 200: jsonResponse('All tactics, by name.', componentRef('TacticList')) },
}

export default async function list(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('', { config: { operation } }, async (request) => ({
    data: engine.tactics.map((tactic) => toTacticRecord(tactic, callerOf(request))),
    next_cursor: null,
  }))
}
