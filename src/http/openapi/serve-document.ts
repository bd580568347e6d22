import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { HttpApp } from '../http-app.ts'
import { readRoutePath } from '../tactic-path.ts'
import { completeOperation, describeService } from './document.ts'

type Paths = Record<string, Record<string, unknown>>

/**
 * Registers the OpenAPI document, made when it is first asked for, and the pages at /docs that show it.
 *
 * Routes describe themselves in their `config.operation`, in the words of OpenAPI. They have no Fastify schema: nothing is
 * validated, coerced or dropped behind the back of our own validation.
 */
export async function serveDocument(server: FastifyInstance, app: HttpApp, prefix: string): Promise<void> {
  const paths: Paths = {}
  // An application around us may have a document of its own, of which this one is no part.
  server.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true }
    // The pages and their files tell nothing but what the document does, which is public.
    if (route.url.slice(prefix.length).startsWith('/docs')) route.config = { access: 'public', ...route.config }
  })
  await server.register(swagger, {
    openapi: {},
    transform: ({ route, schema, url }) => {
      describeRoute(paths, route, url.slice(prefix.length))
      return { schema: { ...schema, hide: true }, url }
    },
    transformObject: () => ({ ...describeService(app, prefix), paths: sortPaths(paths) }) as never,
  })
  await server.register((pages, _options, done) => {
    takeFaultsOfFilesForNothing(pages)
    pages.register(swaggerUi, {
      routePrefix: '/docs',
      // What the page links its files by, when it is asked for without a slash at its end.
      indexPrefix: prefix,
      staticCSP: true,
      // The page works without the network and without TLS: it asks no validator, and its files are not led to https.
      // It sets styles of its own, of which a browser would complain otherwise.
      transformStaticCSP: (policy) =>
        policy
          .replace('upgrade-insecure-requests;', '')
          .replace(' validator.swagger.io', '')
          .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
          .replace("frame-ancestors 'self'", "frame-ancestors 'none'")
          .replaceAll(' https:', '')
          .trim(),
      uiConfig: { deepLinking: true, validatorUrl: null },
      theme: {
        title: 'lllm',
        // There is one document, and the sign above it is somebody else's.
        css: [{ filename: 'lllm.css', content: '.swagger-ui .topbar { display: none }' }],
      },
    })
    done()
  })
}

/** What serves files fails at names that no file can have, and there is nothing of such a name. */
function takeFaultsOfFilesForNothing(pages: FastifyInstance) {
  const served = new WeakSet<FastifyRequest>()
  pages.addHook('onRoute', (route) => {
    if (!route.url.endsWith('/*')) return
    const { handler } = route
    route.handler = function (request, reply) {
      served.add(request)
      return handler.call(this, request, reply)
    }
  })
  pages.setErrorHandler((error, request, reply) => {
    if (served.has(request)) return reply.callNotFound()
    // What was refused before is for those to tell who tell it of all routes.
    throw error
  })
}

/** As a reader looks for them: each path before those below it. */
function sortPaths(paths: Paths): Paths {
  return Object.fromEntries(Object.entries(paths).sort(([left], [right]) => (left < right ? -1 : 1)))
}

function describeRoute(paths: Paths, { config, method }: RouteOptions, url: string) {
  const operation = config?.operation
  if (operation === undefined) return
  const path = readRoutePath(url, (parameter) => `{${parameter}}`)
  const methods = paths[path] ?? {}
  for (const name of [method].flat()) methods[name.toLowerCase()] = completeOperation(operation)
  paths[path] = methods
}
