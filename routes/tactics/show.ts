import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { callerOf } from '../../src/http/access.ts'
import { name } from '../../src/http/fields.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { pathParameter } from '../../src/http/openapi/parameters.ts'
import { parse } from '../../src/http/parse.ts'
import { toTacticRecord } from '../../src/http/tactic-record.ts'

const params = z.strictObject({ name })

const operation: Operation = {
  operationId: 'getTactic',
  access: 'caller',
  summary: 'Show a tactic',
  tags: ['Tactics'],
  parameters: [pathParameter('name', 'The name of the tactic.')],
  responses: { 200: jsonResponse('The tactic, with the schemas of its task and result.', componentRef('Tactic')) },
  errors: ['invalid-parameter', 'unknown-tactic'],
}

export default async function show(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('/:name', { config: { operation } }, async (request) =>
    toTacticRecord(engine.find(parse(params, request.params, 'path').name), callerOf(request)),
  )
}
