import type { FastifyReply, FastifyRequest } from 'fastify'
import { type KeyWatch, watchKey } from './key-watch.ts'

/** Whoever reads, or waits for, an answer that takes its time. */
export interface Reader extends Omit<KeyWatch, 'leave'> {
  /**
   * Aborts when the reader goes away, when his key holds no more, and when the service begins to shut down: then it should come back, to
   * whoever answers next.
   */
  readonly signal: AbortSignal
  /** Lets go of the request. Call it when the answer has been made. */
  leave(): void
}

/**
 * Watches over an answer whose end does not depend on this process. Unlike a call, which ends with its client, nothing is cancelled when
 * the reader leaves.
 */
export function watchReader(request: FastifyRequest, { raw }: FastifyReply): Reader {
  const gone = new AbortController()
  const onGone = () => gone.abort()
  if (raw.destroyed) onGone()
  raw.once('close', onGone)
  const forget = request.server.lllm.shutdown.onBegin(onGone)
  const watch = watchKey(request, onGone)
  return {
    signal: gone.signal,
    get refusal() {
      return watch.refusal
    },
    judge: () => watch.judge(),
    leave() {
      watch.leave()
      raw.off('close', onGone)
      forget()
    },
  }
}
