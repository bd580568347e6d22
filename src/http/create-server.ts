import { fileURLToPath } from 'node:url'
import accepts from '@fastify/accepts'
import autoload from '@fastify/autoload'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { createAdmission } from './admission.ts'
import { answerClientError } from './client-error.ts'
import type { HttpApp } from './http-app.ts'
import { readJsonBodies } from './json-body.ts'
import { handleUnknownRoutes } from './not-found.ts'
import { serveDocument } from './openapi/serve-document.ts'
import { replyWithProblem } from './problem-reply.ts'
import { createReadiness } from './readiness.ts'
import { receive } from './receive.ts'
import { requestIdOf } from './request-id.ts'
import { createShutdown } from './shutdown.ts'

/** A request has to have arrived in this time. Fastify's default is no limit at all. */
const requestTimeoutMs = 60_000
const headersTimeoutMs = 15_000
/** Longer than the 60 s that load balancers keep an idle connection, so that they close it first. */
const keepAliveTimeoutMs = 65_000
/** Node looks for requests that are late in this rhythm; with its own, 30 s, every limit is stretched by as much. */
const connectionsCheckingIntervalMs = 1_000
const paramLengthMax = 256

const routesFolder = fileURLToPath(new URL('../../routes', import.meta.url))

/** Makes the HTTP service. It is ready when this resolves, and listens when it is told to. */
export async function createServer(app: HttpApp): Promise<FastifyInstance> {
  const { world, store, engine } = app
  const server: FastifyInstance = fastify({
    loggerInstance: quietLogger(app.logger),
    // The one line for each request is our own.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: app.settings.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: connectionsCheckingIntervalMs,
      // Node would answer with an empty body; we answer with a problem.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: paramLengthMax, ignoreTrailingSlash: true },
    // While the server closes, requests are answered by the routes: calls are refused with a problem of their own.
    return503OnClosing: false,
    genReqId: (raw) => requestIdOf(raw, world.newId),
    childLoggerFactory: () => app.logger,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, world.newId),
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      return replyWithProblem(error, request, reply)
    },
  })
  const shutdown = createShutdown(world.clock)
  server.decorate('lllm', {
    ...app,
    shutdown,
    admission: createAdmission(app.settings),
    readiness: createReadiness({ store, engine, shutdown, clock: world.clock }),
  })
  server.decorateRequest('story')
  server.setErrorHandler((error, request, reply) => replyWithProblem(error, request, reply))
  readJsonBodies(server)
  handleUnknownRoutes(server)
  await server.register(accepts)
  server.addHook('onRequest', receive)
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.begun) reply.header('connection', 'close')
    done(null, payload)
  })
  server.addHook('preClose', async () => shutdown.stop())
  await serveDocument(server, app)
  await server.register(autoload, { dir: routesFolder, forceESM: true })
  await server.ready()
  return server
}

/** For Fastify's own words: what it says at a start, whoever starts the service says better and once. */
function quietLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  const isTalkative = ['trace', 'debug', 'info'].includes(logger.level)
  return isTalkative ? logger.child({}, { level: 'warn' }) : logger
}
