import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery, tagsParameter } from '../../src/http/openapi/parameters.ts'
import { toSessionList } from '../../src/http/session-list.ts'
import { listQuery, parseListQuery } from '../../src/http/session-query.ts'
import { toStoredFilter } from '../../src/http/stored-filter.ts'

const operation: Operation = {
  operationId: 'listSessions',
  access: 'sessions:read',
  summary: 'List sessions, newest first',
  tags: ['Sessions'],
  parameters: [...describeQuery(listQuery), tagsParameter],
  responses: { 200: jsonResponse('A page of sessions.', componentRef('SessionList')) },
  errors: ['invalid-parameter', 'store-unavailable'],
}

export default async function list(server: FastifyInstance) {
  const { engine } = server.lllm
  server.get('', { config: { operation } }, async (request) => {
    const { filter, limit, after } = parseListQuery(request.query)
    return toSessionList(await houseOf(request).sessions.list(toStoredFilter(engine, filter), limit, after))
  })
}
