import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { costUsd } from '../../src/domain/cost.ts'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { toCallAnswer } from '../../src/http/call-answer.ts'
import { createCallSchemas } from '../../src/http/call-request.ts'
import { name } from '../../src/http/fields.ts'
import { describeCall } from '../../src/http/openapi/tactic-operations.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { parse } from '../../src/http/parse.ts'
import { replyWithProblem } from '../../src/http/problem-reply.ts'
import { readCall } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { tacticPath } from '../../src/http/tactic-path.ts'

const params = z.strictObject({ name })

export default async function call(server: FastifyInstance) {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)

  async function answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) {
    const { prepared, options, bounds, returnSession } = await readCall(request, tactic, schemas)
    const outcome = await runCall(request, reply, bounds, async (limits) => {
      const ended = await engine.execute(prepared, { ...options, ...limits })
      request.lllmStory.sessionId = ended.session.id
      return ended
    })
    const { session } = outcome
    if (session.simulated) reply.header('lllm-simulated', 'true')
    if (outcome.ok) return toCallAnswer(outcome.output, session, returnSession)
    const spent = { sessionId: session.id, costUsd: costUsd(session.cost) }
    return replyWithProblem(outcome.error, request, reply, spent)
  }

  // Each tactic has a path of its own, so that the document can tell its types. Other names end in a 404 that lists them.
  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describeCall(titled, schemas) }
    server.post(tacticPath(titled.tactic), { config }, (request, reply) => answer(titled.tactic, request, reply))
  }
  server.post('/:name', async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}
