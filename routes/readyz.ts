import type { FastifyInstance } from 'fastify'
import { componentRef, jsonResponse, type Operation } from '../src/http/openapi/operation.ts'

const operation: Operation = {
  operationId: 'getReadiness',
  access: 'public',
  summary: 'Whether calls are taken and sessions can be stored',
  tags: ['Operating'],
  responses: { 200: jsonResponse('Both.', componentRef('Ready')) },
  errors: ['draining', 'store-unavailable'],
}

export default async function readyz(server: FastifyInstance) {
  server.get('/readyz', { config: { operation, isProbe: true } }, async () => {
    await server.lllm.readiness.check()
    return { status: 'ready' }
  })
}
