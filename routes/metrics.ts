import type { FastifyInstance } from 'fastify'
import { LllmError } from '../src/domain/errors.ts'
import { defaultTenant } from '../src/domain/tenant.ts'
import { callerOf } from '../src/http/access.ts'
import type { Operation } from '../src/http/openapi/operation.ts'

const mediaType = 'text/plain'

const operation: Operation = {
  operationId: 'getMetrics',
  access: 'admin',
  summary: 'Figures for a monitoring system',
  description:
    'In the text format of Prometheus, for the operator: the figures are those of all tenants together. It is not there where LLLM_METRICS is off.',
  tags: ['Operating'],
  responses: { 200: { description: 'The figures.', content: { [mediaType]: { schema: { type: 'string' } } } } },
}

export default async function metrics(server: FastifyInstance) {
  const { metrics: source } = server.lllm
  if (source === undefined) return
  server.get('/metrics', { config: { operation, produces: [mediaType], isProbe: true } }, async (request, reply) => {
    if (callerOf(request).tenant !== defaultTenant) {
      throw new LllmError('forbidden', 'The figures are those of all tenants, and so are told to the operator alone.')
    }
    reply.type(source.mediaType)
    return source.read()
  })
}
