import type { FastifyReply, FastifyRequest } from 'fastify'
import { openStopScope } from '../domain/stop.ts'

/**
 * Runs paid work for a request. Its signal aborts when the client goes away and when the service stops.
 *
 * The signal is made from the raw response: Fastify's own `request.signal` aborts as soon as a body has been read.
 *
 * @throws LllmError `draining` when the service takes no new calls.
 */
export async function runCall<Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { shutdown } = request.server.lllm
  const leave = shutdown.enter()
  const scope = openStopScope([shutdown.signal])
  const onClose = () => {
    if (!reply.raw.writableEnded) scope.stop('client-closed')
  }
  if (reply.raw.destroyed) onClose()
  reply.raw.once('close', onClose)
  try {
    const underWay = run(scope.signal)
    request.story.underWay = underWay
    return await underWay
  } finally {
    reply.raw.off('close', onClose)
    scope.dispose()
    leave()
  }
}
