import type { FastifyReply, FastifyRequest } from 'fastify'
import { openStopScope } from '../domain/stop.ts'
import { openWriter } from './response-writer.ts'
import { toRunResult } from './run-record.ts'

/**
 * Answers with a line for each run of a batch, no faster than they are read. Rejects with an LllmError `unknown-batch` before the answer
 * has begun; when the store fails later, the answer breaks off.
 */
export async function streamRunResults(
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  contentType: string,
): Promise<FastifyReply> {
  const { runs, world } = request.server.lllm
  await runs.batch(id)
  const scope = openStopScope([])
  const onClose = () => scope.stop('client-closed')
  reply.raw.once('close', onClose)
  const writer = openWriter(reply, { contentType, clock: world.clock, signal: scope.signal })
  try {
    for await (const run of runs.batchRuns(id)) {
      if (scope.signal.aborted) break
      await writer.write(`${JSON.stringify(toRunResult(run))}\n`)
    }
    writer.end(request.server.lllm.shutdown.begun)
  } catch (error) {
    request.log.error({ err: error }, 'the results of a batch broke off')
    reply.raw.destroy()
  } finally {
    reply.raw.off('close', onClose)
    scope.dispose()
  }
  return reply
}
