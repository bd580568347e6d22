import type { FastifyInstance, FastifyRequest } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { toCostsAnswer } from '../../src/http/cost-answer.ts'
import { toCostsCsv } from '../../src/http/cost-csv.ts'
import { preferredType } from '../../src/http/negotiate.ts'
import { componentRef, type Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery, tagsParameter } from '../../src/http/openapi/parameters.ts'
import { costsQuery, parseCostsQuery } from '../../src/http/session-query.ts'
import { toStoredFilter } from '../../src/http/stored-filter.ts'

const produces = ['application/json', 'text/csv']

const operation: Operation = {
  operationId: 'getCosts',
  access: 'costs:read',
  summary: 'What many sessions cost, in groups',
  tags: ['Costs'],
  parameters: [...describeQuery(costsQuery), tagsParameter],
  responses: {
    200: {
      description: 'The groups, ordered by their keys, and the total of all sessions that fit. The CSV has no total.',
      content: {
        'application/json': { schema: componentRef('CostReport') },
        'text/csv': { schema: { type: 'string' } },
      },
    },
  },
  errors: ['invalid-parameter', 'store-unavailable'],
}

export default async function report(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('', { config: { operation, produces } }, async (request, reply) => {
    const { filter, groupBy, format = negotiate(request) } = parseCostsQuery(request.query)
    const costs = await houseOf(request).sessions.costs(toStoredFilter(engine, filter), groupBy)
    if (format === 'json') return toCostsAnswer(costs, groupBy)
    return reply.type('text/csv; charset=utf-8').send(toCostsCsv(costs, groupBy))
  })
}

function negotiate(request: FastifyRequest): 'json' | 'csv' {
  return preferredType(request.headers.accept, produces) === 'text/csv' ? 'csv' : 'json'
}
