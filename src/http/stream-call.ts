import type { FastifyReply, FastifyRequest } from 'fastify'
import { costUsd } from '../domain/cost.ts'
import type { Emit } from '../domain/event.ts'
import { toCallAnswer } from './call-answer.ts'
import { toEventRecord } from './event-record.ts'
import { openEventStream } from './event-stream.ts'
import { whileKeyHolds } from './key-watch.ts'
import { tellProblem } from './problem-reply.ts'
import type { AskedCall } from './read-call.ts'
import type { CallLimits } from './run-call.ts'
import { canBeSimulated } from './simulated.ts'

/** Answers a call with what happens in it, and at last with how it ended. It never rejects: the answer has begun. */
export async function streamCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { prepared, options, returnSession }: AskedCall,
  limits: CallLimits,
): Promise<void> {
  const { engine, openAnswers } = request.server.lllm
  openAnswers.letRest(reply.raw)
  if (canBeSimulated(prepared.config)) reply.header('lllm-simulated', 'true')
  const events = openEventStream(request, reply, limits.signal)
  const keyed = whileKeyHolds(request, limits.signal)
  const emit: Emit = (event) => {
    // An author need not wait for the reader, so that nothing else would bound what an author tells.
    if (event.type === 'progress' && events.isFarBehind) return
    return events.send(event.type, toEventRecord(event))
  }
  try {
    const outcome = await engine.execute(prepared, { ...options, ...limits, signal: keyed.signal, emit })
    const { session } = outcome
    request.lllmStory.sessionId = session.id
    if (outcome.ok) {
      events.finish('result', toCallAnswer(outcome.output, session, returnSession))
    } else {
      const error = keyed.refusal ?? outcome.error
      request.lllmStory.code = error.code
      const spent = { sessionId: session.id, costUsd: costUsd(session.cost) }
      events.finish('error', tellProblem(error, request, spent))
    }
  } catch (error) {
    events.finish('error', tellProblem(error, request))
  } finally {
    keyed.leave()
  }
}
