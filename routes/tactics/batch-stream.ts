import type { FastifyInstance } from 'fastify'
import { describeBatchStream } from '../../src/http/openapi/stream-operations.ts'
import { readBatch } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { batchStreamMediaType, streamBatch } from '../../src/http/stream-batch.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function batchStream(server: FastifyInstance) {
  mountTacticRoute(server, {
    suffix: '/batch/stream',
    produces: [batchStreamMediaType],
    describe: describeBatchStream,
    async answer(tactic, request, reply, schemas) {
      const asked = await readBatch(request, tactic, schemas)
      await runCall(request, reply, asked.bounds, (limits) => streamBatch(request, reply, asked, limits))
    },
  })
}
