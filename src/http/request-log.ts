import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../domain/caller.ts'
import type { ErrorCode } from '../domain/errors.ts'
import type { Span } from '../domain/tracing.ts'
import type { Lllm } from './http-app.ts'
import type { KeyedRequestStory } from './keyed-request.ts'
import { endRequestSpan } from './request-span.ts'
import { toldPathOf } from './told-path.ts'
import { traceIdOf } from './trace-parent.ts'

/** What the log tells of a request beyond its method, path and status, and what else is known of it. Routes fill it in. */
export interface RequestStory {
  /** The id of the request: the client's own, or ours. */
  readonly id: string
  /** Who asks; undefined: that is not known yet, or never was. */
  caller?: Caller
  /** What its calls are told below. */
  span: Span
  tactic?: string
  sessionId?: string
  /** How a stream ended, whose status said nothing of it yet. */
  code?: ErrorCode
  /** A call that may outlive its client: the line is written when it has ended, so that it can name the session. */
  underWay?: Promise<unknown>
  /** Of a request that has an `Idempotency-Key`, until it is answered. */
  keyed?: KeyedRequestStory | undefined
}

/** What nginx calls a request whose client hung up; there is no such status on the wire. */
const clientClosedStatus = 499
/** What requests are counted as that fit no route: their paths are up to whoever sends them. */
const unmatchedRoute = 'unmatched'

/**
 * Counts a request, and writes one line, when it has ended, in whatever way. The `close` event of the raw response is the only one that
 * also comes when the client hangs up. Bodies, queries and headers never reach the log.
 */
export function logWhenEnded(request: FastifyRequest, reply: FastifyReply): void {
  // Later the request may be that of an application around us, to which the file server of /docs hands on what it does not find.
  const { lllm } = request.server
  reply.raw.on('close', () => {
    const durationMs = Math.round(reply.elapsedTime * 10) / 10
    const status = reply.raw.writableEnded ? reply.raw.statusCode : undefined
    const write = () => {
      endRequestSpan(request.lllmStory, status)
      writeLine(request, lllm, status ?? clientClosedStatus, durationMs)
    }
    countRequest(request, lllm, status ?? clientClosedStatus, durationMs)
    const { underWay } = request.lllmStory
    if (underWay === undefined) write()
    else underWay.then(write, write)
  })
}

function countRequest(
  { method, is404, routeOptions }: FastifyRequest,
  { metrics }: Lllm,
  status: number,
  durationMs: number,
) {
  if (metrics === undefined) return
  const route = is404 ? unmatchedRoute : (routeOptions.config.pattern ?? routeOptions.url ?? unmatchedRoute)
  metrics.observe({ type: 'request.ended', route, method, status, durationMs })
}

function writeLine(request: FastifyRequest, { redactor }: Lllm, status: number, durationMs: number) {
  const { id, caller, tactic, sessionId, code, span } = request.lllmStory
  const traceId = traceIdOf(span.headers?.traceparent)
  request.log.info(
    {
      request_id: id,
      method: request.method,
      path: redactor.all(toldPathOf(request.url)),
      status,
      ms: durationMs,
      ...(caller === undefined || caller.keyId === null ? {} : { key_id: caller.keyId, tenant: caller.tenant }),
      ...(tactic === undefined ? {} : { tactic }),
      ...(sessionId === undefined ? {} : { session_id: sessionId }),
      ...(code === undefined ? {} : { code }),
      ...(traceId === undefined ? {} : { trace_id: traceId }),
    },
    'request',
  )
}
