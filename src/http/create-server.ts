import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { answerClientError, refuseTunnel } from './client-error.ts'
import { limitConnections } from './door/connection-limit.ts'
import type { ListenerSettings } from './door/door-settings.ts'
import type { HttpApp } from './http-app.ts'
import { mountService } from './mount-service.ts'
import { closingMaxMs } from './open-answers.ts'
import { replyWithProblem } from './problem-reply.ts'
import { beginStory } from './receive.ts'

/** Longer than the 60 s that load balancers keep an idle connection, so that they close it first. */
const keepAliveTimeoutMs = 65_000
/** Node looks for requests that are late in this rhythm; with its own, 30 s, every limit is stretched by as much. */
const checkingIntervalMaxMs = 1_000
const paramLengthMax = 256

/** A service that is to have a server of its own. */
export interface ServerApp extends HttpApp {
  readonly settings: HttpApp['settings'] & ListenerSettings
  readonly logger: FastifyBaseLogger
}

/** Makes a server that the service has for itself. It is ready when this resolves, and listens when it is told to. */
export async function createServer(app: ServerApp): Promise<FastifyInstance> {
  const { world, logger } = app
  const { headersTimeoutMs, requestTimeoutMs, connectionsMax, trustProxy } = app.settings
  const server: FastifyInstance = fastify({
    loggerInstance: quietLogger(logger),
    // The one line for each request is our own.
    logController: new LogController({ disableRequestLogging: true }),
    // Fastify's default is no limit at all.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    ...(trustProxy === undefined ? {} : { trustProxy }),
    http: {
      // Node refuses to wait longer for a part than for the whole.
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(checkingIntervalMaxMs, headersTimeoutMs, requestTimeoutMs),
      // Node would answer with an empty body; we answer with a problem.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: paramLengthMax, ignoreTrailingSlash: true },
    // What is asked is judged by zod: what Fastify would load for it takes several MB.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // While the server closes, requests are answered by the routes: calls are refused with a problem of their own.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, world.newId),
    frameworkErrors: (error, request, reply) => {
      beginStory(request, reply)
      return replyWithProblem(error, request, reply)
    },
  })
  server.server.maxConnections = connectionsMax
  limitConnections(server.server, { settings: app.settings, clock: world.clock, logger })
  // Node would answer both with nothing that says why. HTTP lets a server ignore an expectation that it does not know.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response))
  server.server.on('connect', (_request, socket) => refuseTunnel(socket, world.newId))
  await mountService(server, app, 'owner')
  server.addHook('preClose', async () => cutOffSoon(server))
  await server.ready()
  return server
}

/** Node waits for every connection that is in the middle of something, and looks for late ones no longer. */
function cutOffSoon({ server }: FastifyInstance) {
  const timer = setTimeout(() => server.closeAllConnections(), closingMaxMs)
  server.once('close', () => clearTimeout(timer))
}

function noCompiler(): never {
  throw new Error('Routes have no JSON schemas of their own.')
}

/** For Fastify's own words: what it says at a start, whoever starts the service says better and once. */
function quietLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  const isTalkative = ['trace', 'debug', 'info'].includes(logger.level)
  return isTalkative ? logger.child({}, { level: 'warn' }) : logger
}
