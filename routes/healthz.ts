import type { FastifyInstance } from 'fastify'
import { componentRef, jsonResponse, type Operation } from '../src/http/openapi/operation.ts'

const operation: Operation = {
  operationId: 'getHealth',
  access: 'public',
  summary: 'Whether the process is alive',
  tags: ['Operating'],
  responses: { 200: jsonResponse('It is.', componentRef('Health')) },
}

export default async function healthz(server: FastifyInstance) {
  server.get('/healthz', { config: { operation, isProbe: true } }, async () => ({ status: 'ok' }))
}
