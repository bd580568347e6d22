import type { FastifyInstance } from 'fastify'
import { componentRef, jsonResponse, type Operation } from '../src/http/openapi/operation.ts'

const operation: Operation = {
  operationId: 'getInfo',
  access: 'caller',
  summary: 'What runs here',
  tags: ['Operating'],
  responses: { 200: jsonResponse('The service, its packages, store and invokers.', componentRef('Info')) },
}

const simulatedNotice =
  'The model is simulated: replies are made up on this machine. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.'

export default async function info(server: FastifyInstance) {
  const { info: service, storeKind } = server.lllm
  server.get('/info', { config: { operation } }, async () => ({
    name: service.name,
    version: service.version,
    simulated: service.simulated,
    notice: service.simulated ? simulatedNotice : null,
    packages: service.packages,
    store: storeKind,
    invokers: service.invokers,
  }))
}
