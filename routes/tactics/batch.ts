import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { toBatchAnswer } from '../../src/http/batch-answer.ts'
import { createCallSchemas } from '../../src/http/call-request.ts'
import { name } from '../../src/http/fields.ts'
import { describeBatch } from '../../src/http/openapi/tactic-operations.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { parse } from '../../src/http/parse.ts'
import { logFault, originOf } from '../../src/http/problem-reply.ts'
import { readBatch } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { tacticPath } from '../../src/http/tactic-path.ts'

const params = z.strictObject({ name })

export default async function batch(server: FastifyInstance) {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)

  async function answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) {
    const { prepared, options, bounds, returnSessions } = await readBatch(request, tactic, schemas)
    const items = await runCall(request, reply, bounds, (limits) =>
      Array.fromAsync(engine.batch(prepared, { ...options, ...limits })),
    )
    for (const { outcome } of items) if (outcome?.ok === false) logFault(outcome.error, request)
    if (items.some(({ outcome }) => outcome?.session.simulated)) reply.header('lllm-simulated', 'true')
    return toBatchAnswer(items, returnSessions, originOf(request))
  }

  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describeBatch(titled, schemas) }
    server.post(`${tacticPath(titled.tactic)}/batch`, { config }, (request, reply) =>
      answer(titled.tactic, request, reply),
    )
  }
  server.post('/:name/batch', async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}
