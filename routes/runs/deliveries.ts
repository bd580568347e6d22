import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { toDeliveryRecord } from '../../src/http/delivery-record.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parseRunId, runIdParameter } from '../../src/http/run-params.ts'

const operation: Operation = {
  operationId: 'listDeliveries',
  access: 'sessions:read',
  summary: 'What became of telling the ends of a run',
  description: 'One delivery for each end of the run, oldest first. A run without a webhook has none.',
  tags: ['Runs'],
  parameters: [runIdParameter],
  responses: { 200: jsonResponse('The deliveries of the run.', componentRef('DeliveryList')) },
  errors: ['unknown-run', 'store-unavailable'],
}

export default async function deliveries(server: FastifyInstance) {
  server.get('/:id/deliveries', { config: { operation } }, async (request) => {
    const { id } = await houseOf(request).runs.get(parseRunId(request.params))
    return { data: (await houseOf(request).webhooks.ofRun(id)).map(toDeliveryRecord) }
  })
}
