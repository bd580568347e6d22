import type { FastifyInstance } from 'fastify'
import { LllmError } from '../../src/domain/errors.ts'
import { callerOf, houseOf } from '../../src/http/access.ts'
import { runsToChange } from '../../src/http/changeable.ts'
import { toChangedDelivery } from '../../src/http/delivery-record.ts'
import { changedRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parse } from '../../src/http/parse.ts'
import {
  bodyErrors,
  deliveryIdParameter,
  noBody,
  parseDeliveryParams,
  runIdParameter,
} from '../../src/http/run-params.ts'

const operation: Operation = {
  operationId: 'redeliver',
  access: 'call',
  summary: 'Tell the end of a run once more',
  description: 'Also what was delivered already, or what is still to be tried. It has the same id as before.',
  tags: ['Runs'],
  parameters: [runIdParameter, deliveryIdParameter],
  responses: { 202: jsonResponse('It is tried at once.', changedRef('Delivery', 'ChangedDelivery')) },
  errors: [...bodyErrors, 'unknown-run', 'unknown-delivery', 'store-unavailable'],
}

export default async function redeliver(server: FastifyInstance) {
  server.post('/:id/deliveries/:delivery_id/redeliver', { config: { operation } }, async (request, reply) => {
    const { runId, deliveryId } = parseDeliveryParams(request.params)
    parse(noBody, request.body ?? {}, 'body')
    await runsToChange(request, runId)
    const { webhooks } = houseOf(request)
    const isThere = await webhooks.redeliver(runId, deliveryId)
    const delivery = (await webhooks.ofRun(runId)).find(({ id }) => id === deliveryId)
    if (!isThere || delivery === undefined) {
      throw new LllmError('unknown-delivery', 'The run has no such delivery.')
    }
    return reply.code(202).send(toChangedDelivery(delivery, callerOf(request)))
  })
}
