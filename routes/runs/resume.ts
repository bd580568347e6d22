import type { FastifyInstance } from 'fastify'
import { runKeyOf } from '../../src/domain/caller.ts'
import { callerOf } from '../../src/http/access.ts'
import { runsToChange } from '../../src/http/changeable.ts'
import { changedRef, jsonResponse, type Operation } from '../../src/http/openapi/operation.ts'
import { parse } from '../../src/http/parse.ts'
import { bodyErrors, noBody, parseRunId, runIdParameter } from '../../src/http/run-params.ts'
import { toChangedRun } from '../../src/http/run-record.ts'

const operation: Operation = {
  operationId: 'resumeRun',
  access: 'call',
  summary: 'Go on with a run that failed or was cancelled',
  tags: ['Runs'],
  parameters: [runIdParameter],
  responses: {
    202: jsonResponse('It is queued again, and goes on from its finished calls.', changedRef('Run', 'ChangedRun')),
  },
  errors: [...bodyErrors, 'unknown-run', 'run-conflict', 'store-unavailable'],
}

export default async function resume(server: FastifyInstance) {
  server.post('/:id/resume', { config: { operation } }, async (request, reply) => {
    const id = parseRunId(request.params)
    parse(noBody, request.body ?? {}, 'body')
    const run = await (await runsToChange(request, id)).resume(id, runKeyOf(callerOf(request)))
    return reply.code(202).send(toChangedRun(run, callerOf(request)))
  })
}
