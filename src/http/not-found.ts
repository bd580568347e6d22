import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import { pathOf, replyWithProblem } from './problem-reply.ts'
import { readRoutePath } from './tactic-path.ts'

/** Answers a path that no route has with 404, and a method that the path does not have with 405 and `Allow`. */
export function handleUnknownRoutes(server: FastifyInstance): void {
  const routes = new Map<string, Set<string>>()
  server.addHook('onRoute', ({ url, method }) => {
    // Asking what pages of other origins may do is answered before any route, whether there is one or not.
    if (method === 'OPTIONS') return
    const methods = routes.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    routes.set(url, methods)
  })

  server.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = pathOf(request.url)
    const allowed = new Set([...routes].filter(([url]) => fits(url, path)).flatMap(([, methods]) => [...methods]))
    // A folder of files has all paths below it, of which most are nothing.
    if (allowed.size === 0 || allowed.has(request.method)) {
      return replyWithProblem(
        new LllmError('route-not-found', `No route has this path; see ${server.lllm.prefix}/docs.`),
        request,
        reply,
      )
    }
    const methods = [...allowed].sort().join(', ')
    reply.header('allow', methods)
    const message = `This path does not have the method ${request.method}; it has ${methods}.`
    return replyWithProblem(new LllmError('method-not-allowed', message), request, reply)
  })
}

/** Whether a path has the shape of a route: a `:parameter` stands for one segment, a last `*` for all that follow. */
function fits(route: string, path: string): boolean {
  if (route.endsWith('/*')) return path.startsWith(route.slice(0, -1))
  // A brace is in no path of ours, so that a parameter cannot be taken for a name.
  const wanted = readRoutePath(route, () => '{}').split('/')
  const given = path.replace(/(.)\/$/, '$1').split('/')
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => (segment === '{}' ? given[index] !== '' : segment === given[index]))
  )
}
