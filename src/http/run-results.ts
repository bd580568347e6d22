import type { FastifyReply, FastifyRequest } from 'fastify'
import { houseOf } from './access.ts'
import { toErrorLog } from './error-log.ts'
import { watchKey } from './key-watch.ts'
import { originOf } from './problem-reply.ts'
import { openWriter } from './response-writer.ts'
import { toRunResult } from './run-record.ts'

/**
 * Answers with a line for each run of a batch, no faster than they are read. Rejects with an LllmError `unknown-batch` before the answer
 * has begun. When the store fails later, or the key holds no more, the connection is cut, so that nobody takes a part for the whole.
 */
export async function streamRunResults(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  contentType: string,
): Promise<FastifyReply> {
  const { world, shutdown, redactor, openAnswers } = request.server.lllm
  openAnswers.letRest(reply.raw)
  const { runs } = houseOf(request)
  await runs.batch(id)
  // Nothing stops it but its reader, on whom the writer has an eye itself.
  const { signal } = new AbortController()
  const writer = openWriter(reply, { contentType, clock: world.clock, signal })
  const origin = originOf(request)
  const watch = watchKey(request, () => reply.raw.destroy())
  try {
    for await (const run of runs.batchRuns(id)) {
      if (reply.raw.destroyed) return reply
      await writer.write(`${JSON.stringify(toRunResult(run, origin))}\n`)
    }
    writer.end(shutdown.begun)
  } catch (error) {
    request.log.error(
      { error: toErrorLog(error, redactor), request_id: request.lllmStory.id },
      'the results of a batch broke off',
    )
    reply.raw.destroy()
  } finally {
    watch.leave()
  }
  return reply
}
