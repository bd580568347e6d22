import type { FastifyReply, FastifyRequest } from 'fastify'
import { openStopScope } from '../domain/stop.ts'
import type { Span } from '../domain/tracing.ts'
import { callerOf } from './access.ts'

export interface CallBounds {
  /** Milliseconds that the call may take, waiting for its turn included. */
  readonly timeoutMs: number
  /** Tasks that are under way at once. Default 1. */
  readonly workers?: number
}

/** What is left for a call when its turn has come. */
export interface CallLimits {
  /** Aborts when the client goes away, when the time is up, and when the service stops. */
  readonly signal: AbortSignal
  /** Milliseconds that are left, 1 or more. */
  readonly timeoutMs: number
  /** What the call is told below. */
  readonly span: Span
}

/**
 * Runs paid work for a request, as soon as the service has a place for it.
 *
 * The signal is made from the raw response: Fastify's own `request.signal` aborts as soon as a body has been read.
 *
 * @throws LllmError `draining` when the service takes no new calls, `overloaded` when too many wait already,
 *   `rate-limited` when the key has too many under way, or how the call was stopped while it waited.
 */
export async function runCall<Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  { timeoutMs, workers = 1 }: CallBounds,
  run: (limits: CallLimits) => Promise<Result>,
): Promise<Result> {
  const { shutdown, admission, door, world } = request.server.lllm
  const leave = shutdown.enter(() => scope.stop('shutdown'))
  const startedAtMs = world.clock.now()
  const scope = openStopScope([], timeoutMs)
  const onClose = () => {
    if (!reply.raw.writableEnded) scope.stop('client-closed')
  }
  if (reply.raw.destroyed) onClose()
  reply.raw.on('close', onClose)
  let givePlaceBack = () => {}
  let giveKeyBack = () => {}
  try {
    const caller = callerOf(request)
    giveKeyBack = door.places.enter(caller, workers)
    givePlaceBack = await admission.enter(caller.tenant, workers, scope.signal)
    const leftMs = Math.max(1, timeoutMs - (world.clock.now() - startedAtMs))
    const underWay = run({ signal: scope.signal, timeoutMs: leftMs, span: request.lllmStory.span })
    request.lllmStory.underWay = underWay
    return await underWay
  } finally {
    givePlaceBack()
    giveKeyBack()
    reply.raw.off('close', onClose)
    scope.dispose()
    leave()
  }
}
