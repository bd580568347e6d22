import type { FastifyReply, FastifyRequest } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import { noSpan } from '../domain/tracing.ts'
import { preferredType } from './negotiate.ts'
import { requestIdOf } from './request-id.ts'
import { logWhenEnded } from './request-log.ts'
import { startRequestSpan } from './request-span.ts'

const jsonOnly = ['application/json'] as const

/** What happens to every request first of all. One synchronous hook, because each hook costs every call. */
export function receive(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  beginStory(request, reply)
  request.lllmStory.span = startRequestSpan(request)
  request.server.lllm.openAnswers.add(reply.raw)
  logWhenEnded(request, reply)
  done(faultOf(request))
}

/** Gives a request its id. Fastify's own would be that of the application around us, and is a small number. */
export function beginStory(request: FastifyRequest, reply: FastifyReply) {
  const id = requestIdOf(request.raw, request.server.lllm.world.newId)
  request.lllmStory = { id, span: noSpan }
  reply.header('x-request-id', id)
}

function faultOf(request: FastifyRequest): LllmError | undefined {
  const { raw } = request
  if (raw.httpVersionMajor < 1) return new LllmError('malformed-request', 'Speak HTTP/1.1.')
  const hosts = countHosts(raw.rawHeaders)
  // Two hosts are how a request is smuggled past a proxy that looks at the other one.
  if (hosts > 1) return new LllmError('malformed-request', 'There is more than one Host header.')
  if (hosts === 0 && raw.httpVersion === '1.1') {
    return new LllmError('malformed-request', 'There is no Host header, which HTTP/1.1 asks for.')
  }
  const produces = request.routeOptions.config.produces ?? jsonOnly
  if (request.is404 || accepts(request, produces)) return undefined
  return new LllmError('not-acceptable', `The answer is ${produces.join(' or ')}, which the Accept header rules out.`)
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

/** The negotiation proper is only for the rare client that does not say the usual. */
function accepts(request: FastifyRequest, produces: readonly string[]): boolean {
  const { accept } = request.headers
  if (accept === undefined || accept === '*/*' || accept === 'application/json') {
    return accept !== 'application/json' || produces.includes(accept)
  }
  return preferredType(accept, produces) !== undefined
}
