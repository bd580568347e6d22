import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { createCallSchemas } from '../../src/http/call-request.ts'
import { name } from '../../src/http/fields.ts'
import { describeBatchStream } from '../../src/http/openapi/stream-operations.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { parse } from '../../src/http/parse.ts'
import { readBatch } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { batchStreamMediaType, streamBatch } from '../../src/http/stream-batch.ts'
import { tacticPath } from '../../src/http/tactic-path.ts'

const params = z.strictObject({ name })
const produces = [batchStreamMediaType]

export default async function batchStream(server: FastifyInstance) {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)

  async function answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) {
    const asked = await readBatch(request, tactic, schemas)
    await runCall(request, reply, asked.bounds, (limits) => streamBatch(request, reply, asked, limits))
  }

  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describeBatchStream(titled, schemas), produces }
    const path = `${tacticPath(titled.tactic)}/batch/stream`
    server.post(path, { config }, (request, reply) => answer(titled.tactic, request, reply))
  }
  server.post('/:name/batch/stream', { config: { produces } }, async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}
