import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLllmError } from '../domain/errors.ts'
import type { Tenancy } from './mount-service.ts'
import { isFrameworkFault } from './problem.ts'
import { replyWithProblem } from './problem-reply.ts'

/** Answers every error with a problem, other than what an application around the service refuses itself. */
export function handleErrors(server: FastifyInstance, tenancy: Tenancy): void {
  server.setErrorHandler((error, request, reply) => {
    // Fastify hands it on to the handler of the application.
    if (tenancy === 'guest' && isOfHost(error, request)) throw error
    return replyWithProblem(error, request, reply)
  })
}

/**
 * Whether an error was thrown by a hook that an application has for all of its routes: who may come in, and how often. Its hooks
 * run before ours, and then before our routes; ours do not throw errors that bring a status.
 */
function isOfHost(error: unknown, request: FastifyRequest): boolean {
  if (request.lllmStory === undefined) return true
  if (isLllmError(error) || isFrameworkFault(error)) return false
  return typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
}
