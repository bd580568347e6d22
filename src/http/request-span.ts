import type { FastifyRequest } from 'fastify'
import { toldTenant } from '../domain/tenant.ts'
import { noSpan, noTracing, type Span } from '../domain/tracing.ts'
import type { RequestStory } from './request-log.ts'
import { toldPathOf } from './told-path.ts'
import { traceHeadersOf } from './trace-parent.ts'

/** They are asked every few seconds, by machines, and nobody looks for their traces. */
const untold: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/** Begins the span of a request: below the one of its caller, if that has said which. */
export function startRequestSpan(request: FastifyRequest): Span {
  const { engine, prefix } = request.server.lllm
  const parent = traceHeadersOf(request.headers)
  // Nearly always nobody collects traces, and then there is nothing to be found out.
  if (engine.tracing === noTracing && parent === undefined) return noSpan
  const { method, url, protocol, routeOptions } = request
  const path = toldPathOf(url)
  const route = routeOptions.url
  const tracing = untold.has(path.slice(prefix.length)) ? noTracing : engine.tracing
  return tracing.startSpan(
    () => ({
      name: route === undefined ? method : `${method} ${route}`,
      kind: 'server',
      attributes: {
        'http.request.method': method,
        'http.route': route,
        'url.path': path,
        'url.scheme': protocol,
        'lllm.request.id': request.lllmStory.id,
      },
    }),
    parent === undefined ? {} : { parent },
  )
}

/** Ends the span of a request. A client that hung up has got no status. */
export function endRequestSpan({ span, caller, sessionId, code }: RequestStory, status: number | undefined): void {
  span.set(() => ({
    'http.response.status_code': status,
    'lllm.session.id': sessionId,
    'lllm.tenant': caller === undefined ? undefined : toldTenant(caller.tenant),
  }))
  span.end(code ?? faultOf(status))
}

/** What the client did wrong is no failure of the service. */
function faultOf(status: number | undefined): string | undefined {
  if (status === undefined) return 'client-closed-request'
  return status >= 500 ? String(status) : undefined
}
