import type { FastifyInstance } from 'fastify'
import { jsonResponse, type Operation } from '../src/http/openapi/operation.ts'

const operation: Operation = {
  operationId: 'getOpenApi',
  access: 'public',
  summary: 'This document',
  description: 'OpenAPI 3.1. It has a path of its own for each tactic. /docs shows it.',
  tags: ['Operating'],
  responses: { 200: jsonResponse('An OpenAPI document.', { type: 'object' }) },
}

export default async function openapi(server: FastifyInstance) {
  let text: string | undefined
  server.get('/openapi.json', { config: { operation } }, async (_request, reply) => {
    text ??= JSON.stringify(server.swagger())
    return reply.type('application/json; charset=utf-8').send(text)
  })
}
