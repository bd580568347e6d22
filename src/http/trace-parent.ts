import type { IncomingHttpHeaders } from 'node:http'
import type { TraceHeaders } from '../domain/tracing.ts'

// W3C Trace Context: version, trace id, parent id, flags; a later version may append more.
const traceParent = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/
/** What is longer need not be passed on, and what has other characters cannot be. */
const traceState = /^[\x20-\x7e]{1,512}$/

/** The place of a request in a trace, or undefined where it has none that is sound. */
export function traceHeadersOf({ traceparent, tracestate }: IncomingHttpHeaders): TraceHeaders | undefined {
  if (typeof traceparent !== 'string' || traceIdOf(traceparent) === undefined) return undefined
  return typeof tracestate === 'string' && traceState.test(tracestate) ? { traceparent, tracestate } : { traceparent }
}

/** The trace id of a `traceparent` header, or undefined where there is no sound one. */
export function traceIdOf(header: string | readonly string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined
  const match = traceParent.exec(header)
  if (match === null) return undefined
  const [, version, traceId, more] = match
  return version === '00' && more !== undefined ? undefined : traceId
}
