import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LllmError } from '../domain/errors.ts'
import { toErrorLog } from './error-log.ts'
import {
  asLllmError,
  type Problem,
  type ProblemContext,
  type ProblemOrigin,
  problemKinds,
  problemMediaType,
  retryAfterSeconds,
  toProblem,
} from './problem.ts'

/** Answers a request with a problem, and tells the log about those that are the service's own fault. */
export function replyWithProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  call: Pick<ProblemContext, 'sessionId' | 'costUsd'> = {},
): FastifyReply {
  const error = asLllmError(thrown)
  const problem = tellProblem(error, request, call)
  const seconds = retryAfterSeconds(error)
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type(problemMediaType).send(JSON.stringify(problem))
}

/** The problem that a request is told, which the log is told of if it is the service's own fault. */
export function tellProblem(
  thrown: unknown,
  request: FastifyRequest,
  call: Pick<ProblemContext, 'sessionId' | 'costUsd'> = {},
): Problem {
  const error = asLllmError(thrown)
  logFault(error, request)
  return toProblem(error, { ...originOf(request), instance: pathOf(request.url), ...call })
}

/** What the problems of a request have in common. */
export function originOf({ lllmStory: { id }, server }: FastifyRequest): ProblemOrigin {
  const { prefix, redactor } = server.lllm
  return { requestId: id, prefix, redactor }
}

/**
 * Tells the log of an error that is the service's own fault, or the tactic's: callers do not see its cause. So it does where another
 * service failed, for nothing else tells which one, and why.
 */
export function logFault(error: LllmError, request: FastifyRequest) {
  const entry = () => ({
    error: toErrorLog(error, request.server.lllm.redactor),
    request_id: request.lllmStory.id,
  })
  if (problemKinds[error.code].status === 500) request.log.error(entry(), 'request failed')
  else if (error.code === 'remote-failed') request.log.warn(entry(), 'remote call failed')
}

/** The path of a URL without its query, which may hold what is nobody else's business. */
export function pathOf(url: string): string {
  const queryAt = url.indexOf('?')
  return queryAt === -1 ? url : url.slice(0, queryAt)
}
