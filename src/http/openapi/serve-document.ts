import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { HttpApp } from '../http-app.ts'
import { completeOperation, describeService } from './document.ts'

type Paths = Record<string, Record<string, unknown>>

/**
 * Registers the OpenAPI document, made when it is first asked for, and the pages at /docs that show it.
 *
 * Routes describe themselves in their `config.operation`, in the words of OpenAPI. They have no Fastify schema: nothing is
 * validated, coerced or dropped behind the back of our own validation.
 */
export async function serveDocument(server: FastifyInstance, app: HttpApp): Promise<void> {
  const paths: Paths = {}
  await server.register(swagger, {
    openapi: {},
    transform: ({ route, schema, url }) => {
      describeRoute(paths, route, url)
      return { schema: { ...schema, hide: true }, url }
    },
    transformObject: () => ({ ...describeService(app), paths: sortPaths(paths) }) as never,
  })
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // The page works without the network and without TLS: it asks no validator, and its files are not led to https.
    // It sets styles of its own, of which a browser would complain otherwise.
    transformStaticCSP: (policy) =>
      policy
        .replace('upgrade-insecure-requests;', '')
        .replace(' validator.swagger.io', '')
        .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        .trim(),
    uiConfig: { deepLinking: true, validatorUrl: null },
  })
}

/** As a reader looks for them: each path before those below it. */
function sortPaths(paths: Paths): Paths {
  return Object.fromEntries(Object.entries(paths).sort(([left], [right]) => (left < right ? -1 : 1)))
}

function describeRoute(paths: Paths, { config, method }: RouteOptions, url: string) {
  const operation = config?.operation
  if (operation === undefined) return
  const path = url.replace(/:([a-z_]+)/g, '{$1}')
  const methods = paths[path] ?? {}
  for (const name of [method].flat()) methods[name.toLowerCase()] = completeOperation(operation)
  paths[path] = methods
}
