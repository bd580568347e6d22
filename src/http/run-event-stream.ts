import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { costUsd } from '../domain/cost.ts'
import { isEndEvent, isEnded, type Run, type RunEndEvent, type RunEvent, type StoredRunEvent } from '../domain/run.ts'
import { houseOf } from './access.ts'
import { toErrorLog } from './error-log.ts'
import { toEventRecord } from './event-record.ts'
import { openEventStream } from './event-stream.ts'
import { wholeNumberText } from './number-text.ts'
import { parse } from './parse.ts'
import { toProblem } from './problem.ts'
import { originOf, pathOf, tellProblem } from './problem-reply.ts'
import { type Reader, watchReader } from './reader.ts'
import { refuseExpired, toError } from './run-record.ts'

const eventNumber = wholeNumberText(0, 999_999_999_999_999)

/** The query of `GET /runs/{id}/events`. */
export const eventsQuery = z.strictObject({
  after: eventNumber
    .optional()
    .describe('Only events with larger ids, as the header `Last-Event-ID` says it, which goes first.'),
})

const lastEventHeader = z.object({ 'last-event-id': eventNumber })

/** After which event a reader goes on. @throws LllmError `invalid-parameter` */
export function readLastEvent({ headers, query }: FastifyRequest): number {
  const { after = 0 } = parse(eventsQuery, query, 'query')
  const given = headers['last-event-id']
  return given === undefined ? after : parse(lastEventHeader, { 'last-event-id': given }, 'header')['last-event-id']
}

/**
 * Answers with the events of a run, from the one after `lastId` on. The reader may leave and come back: that changes nothing for the run.
 * When the service shuts down, or its store fails, the answer ends without `end`, and so the reader comes back. One whose key holds no more is
 * told so in the place of what would come.
 *
 * Rejects with an LllmError `unknown-run`, `session-expired` or `store-unavailable` before the answer has begun.
 */
export async function streamRunEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  lastId: number,
): Promise<FastifyReply> {
  const reader = watchReader(request, reply)
  const { runs } = houseOf(request)
  const events = runs.follow(id, lastId, reader.signal)[Symbol.asyncIterator]()
  request.lllmStory.sessionId = id
  try {
    const run = await runs.get(id)
    refuseExpired(run)
    const first = isEnded(run) ? await firstOf(events, run, lastId, reader.signal) : undefined
    // It has ended, and the reader knows: this answer keeps a browser from asking again.
    if (first?.done === true && !reader.signal.aborted) return await reply.code(204).send()
    await tell(request, reply, id, reader, events, first)
  } finally {
    await events.return?.(undefined)
    reader.leave()
  }
  return reply
}

type Events = AsyncIterator<StoredRunEvent>
type Step = IteratorResult<StoredRunEvent>

/** The first event of a run that has ended. Where its events are not kept any more, whoever has read none is told how it ended. */
async function firstOf(events: Events, { outcome, cost }: Run, lastId: number, signal: AbortSignal): Promise<Step> {
  const first = await events.next()
  if (first.done !== true || outcome === null || lastId > 0 || signal.aborted) return first
  const event: RunEvent = outcome.ok
    ? { type: 'result', result: outcome.result, cost }
    : { type: 'error', error: outcome.error, cost }
  return { done: false, value: { seq: 1, event } }
}

/** Never rejects: the answer has begun. */
async function tell(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  reader: Reader,
  events: Events,
  first: Step | undefined,
) {
  const stream = openEventStream(request, reply, reader.signal)
  try {
    for (let step = first ?? (await events.next()); step.done !== true; step = await events.next()) {
      const { seq, event } = step.value
      if (isEndEvent(event)) {
        await reader.judge()
        return stream.finish(event.type, toEndRecord(request, id, event), seq)
      }
      await stream.send(event.type, toRunEventRecord(id, event), seq)
    }
  } catch (error) {
    if (reader.refusal !== undefined) return stream.breakOff(tellProblem(reader.refusal, request))
    const entry = { error: toErrorLog(error, request.server.lllm.redactor), request_id: request.lllmStory.id }
    request.log.error(entry, 'the events of a run broke off')
  }
  if (reader.refusal !== undefined) stream.breakOff(tellProblem(reader.refusal, request))
  else stream.close()
}

function toRunEventRecord(id: string, event: Exclude<RunEvent, RunEndEvent>) {
  return event.type === 'run.resumed' ? { session_id: id } : toEventRecord(event)
}

/** How the run ended, as the stream of a call would tell it. */
function toEndRecord(request: FastifyRequest, id: string, event: RunEndEvent) {
  const spent = { sessionId: id, costUsd: costUsd(event.cost) }
  if (event.type === 'result') return { result: event.result ?? null, session_id: id, cost_usd: spent.costUsd }
  return toProblem(toError(event.error), { ...originOf(request), instance: pathOf(request.url), ...spent })
}
