import { flushCompileCache } from 'node:module'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { assemble } from './assemble.ts'
import { createServer } from './create-server.ts'
import { toRfc3339 } from './domain/clock.ts'
import { isLllmError, LllmError } from './domain/errors.ts'
import { createRedactor } from './domain/redact.ts'
import { toErrorLog } from './http/error-log.ts'
import { chooseListening } from './listen-host.ts'
import { openRedactor } from './open-redactor.ts'
import { logToStandardOutput } from './process/log-output.ts'
import { redactedOutput } from './process/redacted-output.ts'
import { afterStart, keepThreadsSmall, releaseStartupMemory } from './process/release-memory.ts'
import type { CleanerEvent } from './runs/cleaner.ts'
import type { DispatcherEvent } from './runs/dispatcher.ts'
import type { ScheduleEvent } from './runs/schedules.ts'
import { type Environment, processEnvironment, readSettings, type Settings } from './settings.ts'
import { simulatedNotice } from './simulated-notice.ts'
import { systemWorld } from './system-world.ts'
import type { TraceEvent } from './telemetry/trace-exporter.ts'
import { version } from './version.ts'
import type { WebhookEvent } from './webhooks/webhook-sender.ts'

/** Serves until a signal ends it. Resolves to the exit code: 0 ended as asked, 1 could not start. */
export async function serve(env: Environment = processEnvironment()): Promise<0 | 1> {
  // From the first moment on: as the first process of a container, we would not be ended by a signal that nobody awaits.
  const signalled = untilSignal()
  keepThreadsSmall()
  let service: Service
  let redactor = createRedactor([])
  try {
    const settings = readSettings(env)
    redactor = createRedactor(settings.secrets)
    service = await startService(settings)
  } catch (error) {
    process.stderr.write(`lllm cannot start. ${redactor.all(explain(error))}\n`)
    return 1
  }
  await signalled
  await service.end()
  return 0
}

/** The first signal ends the service in good order. A second one ends the process at once, as it would without us. */
function untilSignal(): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  return new Promise((resolve) => {
    const onSignal = () => {
      for (const signal of signals) process.off(signal, onSignal)
      resolve()
    }
    for (const signal of signals) process.on(signal, onSignal)
  })
}

/** Our own errors say it all; of any other, whoever starts the service needs the stack. */
function explain(error: unknown): string {
  if (isLllmError(error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** What has been compiled is written now: the next start is a short one also where this process is killed. */
function settleDown() {
  flushCompileCache()
  releaseStartupMemory()
}

interface Service {
  /** Lets calls under way end in their time of grace, then closes everything. */
  end(): Promise<void>
}

async function startService(settings: Settings): Promise<Service> {
  const redactor = await openRedactor(settings)
  const logOutput = redactedOutput(logToStandardOutput(), redactor)
  const logger = pino({ level: settings.logLevel }, logOutput)
  // Of the code of one tactic, and nothing for which all other calls have to end.
  process.on('unhandledRejection', (error) => logger.error({ err: toErrorLog(error) }, 'unhandled-rejection'))
  const runtime = await assemble(settings, {
    folder: process.cwd(),
    world: systemWorld,
    redactor,
    onKeeperEvent({ type, sessionId, ...event }) {
      const error = 'error' in event ? { err: toErrorLog(event.error) } : {}
      logger[type === 'session.saved-late' ? 'info' : 'error']({ session_id: sessionId, ...error }, type)
    },
    onRunEvent: (event) => logRunEvent(logger, event),
    onScheduleEvent: (event) => logScheduleEvent(logger, event),
    onWebhookEvent: (event) => logWebhookEvent(logger, event),
    onTraceEvent: (event) => logTraceEvent(logger, event),
    onCleanerEvent: (event) => logCleanerEvent(logger, event),
  })
  try {
    for (const warning of runtime.warnings) logger.warn(warning)
    if (runtime.invokers.default.simulated) {
      logger.warn(simulatedNotice)
    }
    const { engine, store } = runtime
    const server = await createServer(runtime, { logger })
    const { host, access } = await chooseListening(settings, runtime.authenticator)
    const url = await listen(server, { host, port: settings.port })
    logger[access.level](access.message)
    logger.info({ url, version, tactics: engine.tactics.map(({ address }) => address), store: store.kind }, 'listening')
    afterStart(settleDown)
    return {
      async end() {
        logger.info('shutting down')
        await Promise.all([server.close(), runtime.runs.drain(settings.graceMs)])
        await runtime.close()
        await logOutput.flush()
      },
    }
  } catch (error) {
    await runtime.close()
    throw error
  }
}

function logRunEvent(logger: Logger, event: DispatcherEvent) {
  if (event.type === 'store.failed') {
    logger.error({ err: toErrorLog(event.error) }, 'the store of runs does not answer')
    return
  }
  const { type, runId, attempt, ...more } = event
  logger.info({ run_id: runId, attempt, ...more }, type)
}

function logScheduleEvent(logger: Logger, event: ScheduleEvent) {
  if (event.type === 'schedule.store-failed') {
    logger.error({ err: toErrorLog(event.error) }, 'the store of schedules does not answer')
    return
  }
  const { type, schedule, atMs } = event
  const run = 'runId' in event ? { run_id: event.runId } : {}
  logger[type === 'schedule.missed' ? 'warn' : 'info']({ schedule, at: toRfc3339(atMs), ...run }, type)
}

/** Of a URL the host alone is logged: the rest of it may be a secret. */
function logWebhookEvent(logger: Logger, event: WebhookEvent) {
  if (event.type === 'webhook.store-failed') {
    logger.error({ err: toErrorLog(event.error) }, 'the store of webhooks does not answer')
    return
  }
  const { type, deliveryId, runId, host, attempt, step } = event
  const { status, fault, durationMs } = attempt
  const told = { delivery_id: deliveryId, run_id: runId, host, status, fault, duration_ms: durationMs, step }
  logger[step === 'delivered' ? 'info' : 'warn'](told, type)
}

function logTraceEvent(logger: Logger, event: TraceEvent) {
  if (event.type === 'traces.failed') {
    logger.warn({ reason: event.reason }, 'the receiver of traces does not take them: spans are lost until it does')
    return
  }
  logger.info({ lost_spans: event.lostSpans }, 'the receiver of traces takes them again')
}

function logCleanerEvent(logger: Logger, event: CleanerEvent) {
  if (event.type === 'cleaner.store-failed') {
    logger.error({ err: toErrorLog(event.error) }, 'what is old could not be removed')
    return
  }
  logger.info({ removed: event.removed, duration_ms: event.durationMs }, event.type)
}

const listenFailures: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'something else listens there already'],
  ['EACCES', 'this process may not use that port'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no such host'],
])

async function listen(server: FastifyInstance, { host, port }: Pick<Settings, 'host' | 'port'>): Promise<string> {
  try {
    return await server.listen({ port, host })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const reason = listenFailures.get(code)
    if (reason === undefined) throw error
    const message = `It cannot listen on ${host}, port ${port}: ${reason}. Set LLLM_PORT or LLLM_HOST to another.`
    throw new LllmError('invalid-settings', message, {}, { cause: error })
  }
}
