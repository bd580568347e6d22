import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whoever reads, or waits for, an answer that takes its time. */
export interface Reader {
  /** Aborts when the reader goes away, and when the service begins to shut down: then it should come back, to whoever answers next. */
  readonly signal: AbortSignal
  /** Lets go of the request. Call it when the answer has been made. */
  leave(): void
}

/**
 * Watches over an answer whose end does not depend on this process. Unlike a call, which ends with its client, nothing is cancelled when
 * the reader leaves.
 */
export function watchReader({ server }: FastifyRequest, { raw }: FastifyReply): Reader {
  const gone = new AbortController()
  const onGone = () => gone.abort()
  if (raw.destroyed) onGone()
  raw.once('close', onGone)
  const forget = server.lllm.shutdown.onBegin(onGone)
  return {
    signal: gone.signal,
    leave() {
      raw.off('close', onGone)
      forget()
    },
  }
}
