import type { FastifyInstance } from 'fastify'
import { houseOf } from '../../src/http/access.ts'
import { readJsonLines } from '../../src/http/json-lines.ts'
import { describeSubmitBatch } from '../../src/http/openapi/run-operations.ts'
import { readRunBatch } from '../../src/http/read-run.ts'
import { toRunBatchRecord } from '../../src/http/run-record.ts'
import { runBatchTasksMax } from '../../src/http/run-request.ts'
import { canBeSimulated } from '../../src/http/simulated.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function submitBatch(server: FastifyInstance) {
  const { prefix, settings } = server.lllm
  // Of this route alone: others take no lines.
  readJsonLines(server, settings.bodyLimitBytes, runBatchTasksMax(settings))
  mountTacticRoute(server, {
    suffix: '/batches',
    repeats: 'join',
    describe: describeSubmitBatch,
    async answer(tactic, request, reply, schemas) {
      const { prepared, options } = await readRunBatch(request, tactic, schemas)
      const batch = await houseOf(request).runs.submitBatch(prepared, options)
      if (prepared.some(({ config }) => canBeSimulated(config))) reply.header('lllm-simulated', 'true')
      return reply.code(202).header('location', `${prefix}/batches/${batch.id}`).send(toRunBatchRecord(batch))
    },
  })
}
