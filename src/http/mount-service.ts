import { fileURLToPath } from 'node:url'
import autoload from '@fastify/autoload'
import type { FastifyInstance } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import { createRedactor } from '../domain/redact.ts'
import { admitCaller } from './access.ts'
import { createAdmission } from './admission.ts'
import { createAnswerKeeper } from './answer-keeper.ts'
import { allowOrigins } from './door/cross-origin.ts'
import { createDoor, limitAddresses } from './door/door.ts'
import { refuseUnderPressure } from './door/loop-pressure.ts'
import { addSecurityHeaders } from './door/security-headers.ts'
import { handleErrors } from './error-handler.ts'
import type { HttpApp } from './http-app.ts'
import { readJsonBodies } from './json-body.ts'
import { settleKey } from './keyed-request.ts'
import { handleUnknownRoutes } from './not-found.ts'
import { createOpenAnswers } from './open-answers.ts'
import { serveDocument } from './openapi/serve-document.ts'
import { createReadiness } from './readiness.ts'
import { receive } from './receive.ts'
import { createShutdown } from './shutdown.ts'

/** Whether the service has the server for itself, or lives in somebody else's application. */
export type Tenancy = 'owner' | 'guest'

const routesFolder = fileURLToPath(new URL('../../routes', import.meta.url))

/**
 * Puts the whole service on a server, under the prefix that the server has. What a server alone can say (its timeouts, what is
 * no sound HTTP) is left to whoever made it; all else is set here, on this instance. Fastify keeps that from an application
 * around it, as long as the instance is one that it made for a plugin.
 *
 * @throws LllmError `invalid-settings` for a prefix that is none.
 */
export async function mountService(server: FastifyInstance, app: HttpApp, tenancy: Tenancy): Promise<void> {
  const { store, runs, schedules, webhooks, idempotency, ...parts } = app
  const { world, engine, settings, logger } = parts
  const prefix = readPrefix(server.prefix)
  const shutdown = createShutdown(world.clock)
  const openAnswers = createOpenAnswers(app.readerPatienceMs)
  const answers = createAnswerKeeper(idempotency, world.clock)
  const door = createDoor({ settings, clock: world.clock, rates: app.rates })
  server.decorate('lllm', {
    ...parts,
    redactor: app.redactor ?? createRedactor([]),
    storeKind: store.kind,
    ofTenant: (tenant) => ({
      sessions: store.of(tenant),
      runs: runs.of(tenant),
      schedules: schedules.of(tenant),
      webhooks: webhooks.of(tenant),
    }),
    prefix,
    shutdown,
    openAnswers,
    answers,
    admission: createAdmission(settings, (change) => app.metrics?.observe({ type: 'calls.queued', change })),
    door,
    readiness: createReadiness({ store, engine, shutdown, clock: world.clock }),
  })
  server.decorateRequest('lllmStory')
  if (logger !== undefined) server.setChildLoggerFactory(() => logger)
  // What an application makes of its own answers is nothing for ours.
  server.setReplySerializer((payload) => JSON.stringify(payload))
  handleErrors(server, tenancy)
  readJsonBodies(server, settings.bodyLimitBytes)
  // At the root of somebody's application, what is not found is theirs to tell.
  if (tenancy === 'owner' || prefix !== '') handleUnknownRoutes(server)
  // Who is refused is told so with the headers of every answer, so that a page can read it.
  addSecurityHeaders(server, settings)
  server.addHook('onRequest', receive)
  await allowOrigins(server, settings)
  await refuseUnderPressure(server, settings)
  limitAddresses(server, settings, door)
  server.addHook('onRequest', admitCaller)
  server.addHook('onSend', (request, reply, payload, done) => {
    if (shutdown.begun) reply.header('connection', 'close')
    // Of a request that an application around us has refused nothing is known.
    const keyed = request.lllmStory?.keyed
    if (keyed === undefined) return done(null, payload)
    request.lllmStory.keyed = undefined
    void settleKey(keyed, request, reply, payload).then(() => done(null, payload))
  })
  server.addHook('preClose', async () => {
    await shutdown.drain(settings.graceMs)
    openAnswers.cutOffSoon()
  })
  server.addHook('onClose', () => answers.close())
  await serveDocument(server, app, prefix)
  await server.register(autoload, { dir: routesFolder, forceESM: true })
}

/** The prefix is a part of links, so that it has to be the same for all requests. */
function readPrefix(given: string): string {
  const prefix = given.replace(/\/+$/, '')
  if (!/[:*]/.test(prefix)) return prefix
  throw new LllmError(
    'invalid-settings',
    `The service cannot have the prefix "${given}": it must be a path without parameters, such as "/ai".`,
  )
}
