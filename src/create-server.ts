import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { ServiceInfo } from './http/http-app.ts'
import { judgePageAccess } from './page-access.ts'
import type { Runtime } from './runtime.ts'
import { readGuestOptions, readServerOptions, type ServerOptions, type ServiceOptions } from './service-options.ts'
import { systemWorld } from './system-world.ts'
import { version } from './version.ts'

// Fastify and all that comes with it is loaded when somebody serves: every tactic imports the library, and few need a server.

/**
 * Makes the HTTP service of a runtime as a Fastify server, which is ready, and listens when it is told to. Closing it gives calls
 * under way `graceMs` to end, and leaves the runtime open. It logs to the standard output where it is given no logger.
 *
 * While there is no key, it answers its own machine only, wherever it listens, unless it is `open`.
 *
 * @throws LllmError `invalid-settings` for an option that is unknown or does not fit, and where all pages of the web could use it.
 */
export async function createServer(runtime: Runtime, options: ServerOptions = {}): Promise<FastifyInstance> {
  const settings = readServerOptions(options, runtime.settings)
  const warning = await judgePageAccess(settings, runtime.authenticator)
  const [{ createServer: create }, { pino }, { logToStandardOutput }, { redactedOutput }] = await Promise.all([
    import('./http/create-server.ts'),
    import('pino'),
    import('./process/log-output.ts'),
    import('./process/redacted-output.ts'),
  ])
  await runtime.runs.start()
  runtime.metrics?.start()
  const output = () => redactedOutput(logToStandardOutput(), runtime.redactor)
  const logger = options.logger ?? pino({ level: runtime.settings.logLevel }, output())
  if (warning !== undefined) logger.warn(warning)
  return create({ ...describe(runtime), settings, logger })
}

/** Which runtime is embedded. `prefix` says where, as with every plugin. */
export interface LllmPluginOptions extends ServiceOptions {
  readonly runtime: Runtime
}

/** What Fastify itself reads from the options of a plugin. */
const fastifyOptions = ['prefix', 'logLevel', 'logSerializers']

/**
 * The HTTP service of a runtime as a plugin of somebody's own Fastify application (5.x): `app.register(lllmPlugin, { runtime,
 * prefix: '/ai' })`. Nothing outside of its prefix changes. Closing the application gives calls under way `graceMs` to end, and
 * leaves the runtime open. It logs where the application does.
 *
 * Rejects with an LllmError `invalid-settings` for an option that is unknown or does not fit, and for a prefix with parameters.
 */
export const lllmPlugin: FastifyPluginAsync<LllmPluginOptions> = async (host, options) => {
  const { runtime, logger } = options
  const settings = readGuestOptions(options, runtime.settings, ['runtime', 'logger', ...fastifyOptions])
  await runtime.runs.start()
  runtime.metrics?.start()
  const { mountService } = await import('./http/mount-service.ts')
  await mountService(host, { ...describe(runtime), settings, ...(logger === undefined ? {} : { logger }) }, 'guest')
}

// What the package fastify-plugin would write, other than that the plugin is kept from its surroundings.
Object.assign(lllmPlugin, {
  [Symbol.for('fastify.display-name')]: 'lllm',
  [Symbol.for('plugin-meta')]: { name: 'lllm', fastify: '5.x' },
})

function describe(runtime: Runtime) {
  const { engine, store, runs, schedules, webhooks, judgeWebhook, idempotency, authenticator } = runtime
  const { rates, metrics, redactor } = runtime
  return {
    engine,
    store,
    runs,
    schedules,
    webhooks,
    judgeWebhook,
    idempotency,
    authenticator,
    ...(metrics === undefined ? {} : { metrics }),
    redactor,
    rates,
    info: describeService(runtime),
    world: systemWorld,
  }
}

function describeService({ packages: { root, all, origins }, invokers }: Runtime): ServiceInfo {
  return {
    name: 'lllm',
    version,
    simulated: invokers.default.simulated,
    packages: all.map((loaded) => ({
      name: loaded.name,
      version: loaded.version,
      origin: origins?.get(loaded) ?? (loaded === root ? 'root' : 'dependency'),
      aliases: [...root.reachable]
        .filter(([name, named]) => named === loaded && name !== loaded.name)
        .map(([name]) => name),
    })),
    invokers: invokers.all().map(({ name, simulated }) => ({ name, simulated })),
  }
}
