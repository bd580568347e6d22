import type { FastifyInstance } from 'fastify'
import { toBatchAnswer } from '../../src/http/batch-answer.ts'
import { noteSession } from '../../src/http/keyed-request.ts'
import { describeBatch } from '../../src/http/openapi/tactic-operations.ts'
import { logFault, originOf } from '../../src/http/problem-reply.ts'
import { readBatch } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function batch(server: FastifyInstance) {
  const { engine } = server.lllm
  mountTacticRoute(server, {
    suffix: '/batch',
    repeats: 'conflict',
    describe: describeBatch,
    async answer(tactic, request, reply, schemas) {
      const { prepared, options, bounds, returnSessions } = await readBatch(request, tactic, schemas)
      const items = await runCall(request, reply, bounds, (limits) =>
        Array.fromAsync(engine.batch(prepared, { ...options, ...limits })),
      )
      for (const { outcome } of items) {
        if (outcome === null) continue
        noteSession(request, outcome.session)
        if (!outcome.ok) logFault(outcome.error, request)
      }
      if (items.some(({ outcome }) => outcome?.session.simulated)) reply.header('lllm-simulated', 'true')
      return toBatchAnswer(items, returnSessions, originOf(request))
    },
  })
}
