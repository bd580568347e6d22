import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LllmError } from '../../src/domain/errors.ts'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { createCallSchemas } from '../../src/http/call-request.ts'
import { eventStreamMediaType } from '../../src/http/event-stream.ts'
import { name } from '../../src/http/fields.ts'
import { describeStream } from '../../src/http/openapi/stream-operations.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { parse } from '../../src/http/parse.ts'
import { readCall } from '../../src/http/read-call.ts'
import { runCall } from '../../src/http/run-call.ts'
import { streamCall } from '../../src/http/stream-call.ts'
import { tacticPath } from '../../src/http/tactic-path.ts'

const params = z.strictObject({ name })
const produces = [eventStreamMediaType]

export default async function stream(server: FastifyInstance) {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)

  async function answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) {
    refuseResumption(request)
    const asked = await readCall(request, tactic, schemas)
    await runCall(request, reply, asked.bounds, (limits) => streamCall(request, reply, asked, limits))
  }

  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describeStream(titled, schemas), produces }
    server.post(`${tacticPath(titled.tactic)}/stream`, { config }, (request, reply) =>
      answer(titled.tactic, request, reply),
    )
  }
  server.post('/:name/stream', { config: { produces } }, async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}

/** Some clients send a request again when its stream breaks off: that would be another call, paid for once more. */
function refuseResumption({ headers }: FastifyRequest) {
  if (headers['last-event-id'] === undefined) return
  const message =
    'A stream cannot be resumed: leave out Last-Event-ID to call again, or look at the session of the first call.'
  const issues = [{ pointer: '/header/last-event-id', message }]
  throw new LllmError('invalid-parameter', message, { issues })
}
