import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery, tagsParameter } from '../../src/http/openapi/parameters.ts'
import { parseRunsQuery, runsQuery, toRunCursor } from '../../src/http/run-query.ts'
import { toRunListItem } from '../../src/http/run-record.ts'
import { toStoredFilter } from '../../src/http/stored-filter.ts'

const operation: Operation = {
  operationId: 'listRuns',
  access: 'sessions:read',
  summary: 'List runs, newest first',
  tags: ['Runs'],
  parameters: [...describeQuery(runsQuery), tagsParameter],
  responses: { 200: jsonResponse('A page of runs.', componentRef('RunList')) },
  errors: ['invalid-parameter', 'store-unavailable'],
}

export default async function list(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('', { config: { operation } }, async (request) => {
    const { filter, limit, after } = parseRunsQuery(request.query)
    const { data, next } = await houseOf(request).runs.list(toStoredFilter(engine, filter), limit, after)
    return { data: data.map(toRunListItem), next_cursor: toRunCursor(next) }
  })
}
