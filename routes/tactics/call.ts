import type { FastifyInstance } from 'fastify'
import { costUsd } from '../../src/domain/cost.ts'
import { toCallAnswer } from '../../src/http/call-answer.ts'
import { noteSession } from '../../src/http/keyed-request.ts'
import { describeCall } from '../../src/http/openapi/tactic-operations.ts'
import { replyWithProblem } from '../../src/http/problem-reply.ts'
import { readCall } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function call(server: FastifyInstance) {
  const { engine } = server.lllm
  mountTacticRoute(server, {
    suffix: '',
    repeats: 'conflict',
    describe: describeCall,
    async answer(tactic, request, reply, schemas) {
      const { prepared, options, bounds, returnSession } = await readCall(request, tactic, schemas)
      const outcome = await runCall(request, reply, bounds, async (limits) => {
        const ended = await engine.execute(prepared, { ...options, ...limits })
        request.lllmStory.sessionId = ended.session.id
        return ended
      })
      const { session } = outcome
      noteSession(request, session)
      if (session.simulated) reply.header('lllm-simulated', 'true')
      if (outcome.ok) return toCallAnswer(outcome.output, session, returnSession)
      const spent = { sessionId: session.id, costUsd: costUsd(session.cost) }
      return replyWithProblem(outcome.error, request, reply, spent)
    },
  })
}
