import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { costUsd } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { RunEvent, StoredRunEvent } from '../domain/run.ts'
import { openStopScope } from '../domain/stop.ts'
import { toEventRecord } from './event-record.ts'
import { openEventStream } from './event-stream.ts'
import { parse } from './parse.ts'
import { toProblem } from './problem.ts'
import { originOf, pathOf } from './problem-reply.ts'

const eventNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the id of an event')
  .transform(Number)

/** The query of `GET /runs/{id}/events`. */
export const eventsQuery = z.strictObject({
  after: eventNumber
    .optional()
    .describe('Only events with larger ids, as the header `Last-Event-ID` says it, which goes first.')
    .meta({ type: 'integer', pattern: undefined, minimum: 0 }),
})

const lastEventHeader = z.object({ 'last-event-id': eventNumber.optional() })

/** After which event a reader goes on. @throws LllmError `invalid-parameter` */
export function readLastEvent(request: FastifyRequest): number {
  const { 'last-event-id': lastId } = parse(lastEventHeader, pickHeader(request), 'header')
  return lastId ?? parse(eventsQuery, request.query, 'query').after ?? 0
}

function pickHeader({ headers }: FastifyRequest) {
  const given = headers['last-event-id']
  return given === undefined ? {} : { 'last-event-id': given }
}

/**
 * Answers with the events of a run, from the one after `lastId` on. The reader may leave and come back: that changes nothing for the run.
 * Rejects with an LllmError `unknown-run`.
 */
export async function streamRunEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  lastId: number,
): Promise<unknown> {
  const { runs } = request.server.lllm
  const scope = openStopScope([])
  const stop = () => scope.stop('client-closed')
  reply.raw.once('close', stop)
  const events = runs.follow(id, lastId, scope.signal)[Symbol.asyncIterator]()
  try {
    const run = await runs.get(id)
    const hasEnded = run.endedAtMs !== null
    const first = hasEnded ? await events.next() : undefined
    // It has ended, and the reader knows: this answer keeps a browser from asking again.
    if (first?.done === true) return reply.code(204).send()
    const stream = openEventStream(request, reply, scope.signal)
    for (let next = first ?? (await events.next()); next.done !== true; next = await events.next()) {
      const { seq, event } = next.value
      if (isEnd(event)) {
        stream.finish(event.type, toEndRecord(request, id, event), seq)
        return reply
      }
      await stream.send(event.type, toRunEventRecord(id, event), seq)
    }
    stream.close()
    return reply
  } finally {
    await events.return?.(undefined)
    reply.raw.off('close', stop)
    scope.dispose()
  }
}

type EndEvent = Extract<RunEvent, { readonly type: 'result' | 'error' }>

function isEnd(event: RunEvent): event is EndEvent {
  return event.type === 'result' || event.type === 'error'
}

function toRunEventRecord(id: string, event: Exclude<StoredRunEvent['event'], EndEvent>) {
  return event.type === 'run.resumed' ? { session_id: id } : toEventRecord(event)
}

/** How the run ended, as the stream of a call would tell it. */
function toEndRecord(request: FastifyRequest, id: string, event: EndEvent) {
  const spent = { sessionId: id, costUsd: costUsd(event.cost) }
  if (event.type === 'result') return { result: event.result, session_id: id, cost_usd: spent.costUsd }
  const { code, message, data = {} } = event.error
  return toProblem(new LllmError(code, message, data), {
    ...originOf(request),
    instance: pathOf(request.url),
    ...spent,
  })
}
