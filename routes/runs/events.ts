import type { FastifyInstance } from 'fastify'
import { eventStreamMediaType } from '../../src/http/event-stream.ts'
import type { Operation } from '../../src/http/openapi/operation.ts'
import { describeQuery } from '../../src/http/openapi/parameters.ts'
import { runEventData } from '../../src/http/openapi/stream-operations.ts'
import { eventsQuery, readLastEvent, streamRunEvents } from '../../src/http/run-event-stream.ts'
import { parseRunId, runIdParameter } from '../../src/http/run-params.ts'

const operation: Operation = {
  operationId: 'followRun',
  access: 'sessions:read',
  summary: 'Follow a run, from its start or from where one left off',
  description:
    'Server-sent events, as those of a stream, live or long afterwards. A reader that leaves changes nothing, and goes on with `Last-Event-ID`.',
  tags: ['Runs'],
  parameters: [
    runIdParameter,
    ...describeQuery(eventsQuery),
    {
      name: 'last-event-id',
      in: 'header',
      required: false,
      description: 'The id of the last event that was read.',
      schema: { type: 'integer', minimum: 0 },
    },
  ],
  responses: {
    200: {
      description: 'The schema is that of the data of each event.',
      content: { [eventStreamMediaType]: { schema: runEventData } },
    },
    204: { description: 'All events have been read.' },
  },
  errors: ['invalid-parameter', 'unknown-run', 'session-expired', 'store-unavailable'],
}

export default async function events(server: FastifyInstance) {
  server.get('/:id/events', { config: { operation, produces: [eventStreamMediaType] } }, (request, reply) =>
    streamRunEvents(request, reply, parseRunId(request.params), readLastEvent(request)),
  )
}
