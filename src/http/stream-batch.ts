import type { FastifyReply, FastifyRequest } from 'fastify'
import { openTally, toBatchItem } from './batch-answer.ts'
import { whileKeyHolds } from './key-watch.ts'
import { logFault, originOf, tellProblem } from './problem-reply.ts'
import type { AskedBatch } from './read-call.ts'
import { openWriter } from './response-writer.ts'
import type { CallLimits } from './run-call.ts'
import { canBeSimulated } from './simulated.ts'

export const batchStreamMediaType = 'application/x-ndjson'

/**
 * Answers a batch with a line for each item as it completes, and at last with a line of their sums. It never rejects: the
 * answer has begun. A reader who is slow holds the workers up.
 */
export async function streamBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  { prepared, options, returnSessions }: AskedBatch,
  limits: CallLimits,
): Promise<void> {
  const { engine, world, shutdown, openAnswers } = request.server.lllm
  openAnswers.letRest(reply.raw)
  const [first] = prepared
  if (first !== undefined && canBeSimulated(first.config)) reply.header('lllm-simulated', 'true')
  const { signal } = limits
  const writer = openWriter(reply, { contentType: batchStreamMediaType, clock: world.clock, signal })
  const writeLine = (line: unknown) => writer.write(`${JSON.stringify(line)}\n`)
  const tally = openTally()
  const keyed = whileKeyHolds(request, signal)
  try {
    for await (const item of engine.batch(prepared, { ...options, ...limits, signal: keyed.signal })) {
      tally.add(item)
      if (item.outcome?.ok === false) logFault(item.outcome.error, request)
      await writeLine(toBatchItem(item, returnSessions, originOf(request)))
    }
    const refused = keyed.refusal === undefined ? {} : { error: tellProblem(keyed.refusal, request) }
    void writeLine({ end: true, ...tally.sums(), ...refused })
  } catch (error) {
    void writeLine({ end: true, ...tally.sums(), error: tellProblem(error, request) })
  } finally {
    keyed.leave()
  }
  writer.end(shutdown.begun)
}
