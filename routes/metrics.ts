import type { FastifyInstance } from 'fastify'
import type { Operation } from '../src/http/openapi/operation.ts'

const mediaType = 'text/plain'

const operation: Operation = {
  operationId: 'getMetrics',
  access: 'admin',
  summary: 'Figures for a monitoring system',
  description: 'In the text format of Prometheus. It is not there where LLLM_METRICS is off.',
  tags: ['Operating'],
  responses: { 200: { description: 'The figures.', content: { [mediaType]: { schema: { type: 'string' } } } } },
}

export default async function metrics(server: FastifyInstance) {
  const { metrics: source } = server.lllm
  if (source === undefined) return
  server.get('/metrics', { config: { operation, produces: [mediaType] } }, async (_request, reply) => {
    reply.type(source.mediaType)
    return source.read()
  })
}
