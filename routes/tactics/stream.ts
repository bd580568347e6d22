import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LllmError } from '../../src/domain/errors.ts'
import { eventStreamMediaType } from '../../src/http/event-stream.ts'
import { describeStream } from '../../src/http/openapi/stream-operations.ts'
import { readCall } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { streamCall } from '../../src/http/stream-call.ts'
import { mountTacticRoute } from '../../src/http/tactic-routes.ts'

export default async function stream(server: FastifyInstance) {
  mountTacticRoute(server, {
    suffix: '/stream',
    produces: [eventStreamMediaType],
    describe: describeStream,
    async answer(tactic, request, reply, schemas) {
      refuseResumption(request)
      const asked = await readCall(request, tactic, schemas)
      await runCall(request, reply, asked.bounds, (limits) => streamCall(request, reply, asked, limits))
    },
  })
}

/** Some clients send a request again when its stream breaks off: that would be another call, paid for once more. */
function refuseResumption({ headers }: FastifyRequest) {
  if (headers['last-event-id'] === undefined) return
  const message =
    'A stream cannot be resumed: leave out Last-Event-ID to call again, or look at the session of the first call.'
  const issues = [{ pointer: '/header/last-event-id', message }]
  throw new LllmError('invalid-parameter', message, { issues })
}
