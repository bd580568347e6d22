import type { FastifyInstance } from 'fastify'
import { isEnded } from '../../src/domain/run.ts'
import { houseOf } from '../../src/http/access.ts'
import { componentRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery } from '../../src/http/openapi/parameters.ts'
import { parse } from '../../src/http/parse.ts'
import { watchReader } from '../../src/http/reader.ts'
import { parseRunId, runIdParameter, waitQuery } from '../../src/http/run-params.ts'
import { refuseExpired, toRunRecord } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'waitForRun',
  access: 'sessions:read',
  summary: 'Wait for the end of a run',
  description: 'Also answers, with a 202, when the service begins to shut down: ask again.',
  tags: ['Runs'],
  parameters: [runIdParameter, ...describeQuery(waitQuery)],
  responses: {
    200: jsonResponse('The run has ended.', componentRef('Run')),
    202: jsonResponse('It has not ended in this time.', componentRef('Run')),
  },
  errors: ['invalid-parameter', 'unknown-run', 'session-expired', 'store-unavailable'],
}

export default async function wait(server: FastifyInstance) {
  server.get('/:id/wait', { config: { operation } }, async (request, reply) => {
    const id = parseRunId(request.params)
    const { timeout_ms: timeoutMs } = parse(waitQuery, request.query, 'query')
    const reader = watchReader(request, reply)
    try {
      const run = await houseOf(request).runs.wait(id, timeoutMs, reader.signal)
      await reader.judge()
      refuseExpired(run)
      return await reply.code(isEnded(run) ? 200 : 202).send(toRunRecord(run))
    } finally {
      reader.leave()
    }
  })
}
