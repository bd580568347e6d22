import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { describeSubmit } from '../../src/http/openapi/run-operations.ts'
import { readRun } from '../../src/http/read-run.ts'
import { toRunRecord } from '../../src/http/run-record.ts'
import { canBeSimulated } from '../../src/http/simulated.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function submitRun(server: FastifyInstance) {
  const { prefix } = server.lllm
  mountTacticRoute(server, {
    suffix: '/runs',
    repeats: 'join',
    describe: describeSubmit,
    async answer(tactic, request, reply, schemas) {
      const { prepared, options } = await readRun(request, tactic, schemas)
      const run = await houseOf(request).runs.submit(prepared, options)
      request.lllmStory.sessionId = run.id
      if (canBeSimulated(prepared.config)) reply.header('lllm-simulated', 'true')
      return reply.code(202).header('location', `${prefix}/runs/${run.id}`).send(toRunRecord(run))
    },
  })
}
