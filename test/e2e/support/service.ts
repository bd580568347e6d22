import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { assemble } from '../../../src/assemble.ts'
import { createServer } from '../../../src/create-server.ts'
import type { World } from '../../../src/domain/clock.ts'
import { readSettings } from '../../../src/settings.ts'
import { systemWorld } from '../../../src/system-world.ts'
import { wireText } from '../../support/provider-wire.ts'
import { type Script, type ScriptedProvider, startProvider } from '../../support/scripted-provider.ts'
import { createClient } from './client.ts'

/** The folder of this project, whose package is served where a test brings none of its own. */
export const projectFolder = fileURLToPath(new URL('../../../', import.meta.url))

/** The key that services send to the provider. It must not turn up anywhere else. */
export const providerKey = 'sk-key-of-the-test-0123456789'

export interface ServiceSpec {
  /** Left out: no provider is configured, so that the model is simulated. */
  readonly provider?: ScriptedProvider
  /** Where the search for a manifest begins. Default: this project, with the tactics of the lesson. */
  readonly folder?: string
  /** Default `:memory:`. */
  readonly database?: string
  /** Further variables; they go before those that the rest of the spec sets. */
  readonly env?: Readonly<Record<string, string>>
}

/** The environment that a service of a test is given, and nothing of this process's own. */
export function environmentOf({ provider, database = ':memory:', env = {} }: ServiceSpec): Record<string, string> {
  const access: Record<string, string> =
    provider === undefined ? {} : { OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: providerKey }
  // What whoever runs the tests has installed must not be served in them.
  // A machine that is busy with other tests as well makes everybody late.
  const patience = { LLLM_LOOP_DELAY_MAX_MS: '0' }
  return { LLLM_PORT: '0', LLLM_DATABASE: database, LLLM_HOME: '/nonexistent', ...patience, ...access, ...env }
}

/** What a process needs that a test starts, of this one's environment. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { PATH, NODE_COMPILE_CACHE }
}

/** Time and ids are real. Chance gives 0: between recalls nobody waits, unless the provider says how long. */
export const testWorld: World = { ...systemWorld, clock: { ...systemWorld.clock, random: () => 0 } }

export type TestService = Awaited<ReturnType<typeof startService>>

/**
 * Starts the service in this process: everything is real but the provider. It listens on a free port and is closed after the
 * test, or earlier by `close`.
 */
export async function startService({ world = testWorld, ...spec }: ServiceSpec & { readonly world?: World } = {}) {
  const settings = readSettings(environmentOf(spec))
  const logLines: Record<string, unknown>[] = []
  const logger = pino({ level: 'info' }, { write: (line) => void logLines.push(JSON.parse(line)) })
  const runtime = await assemble(settings, {
    folder: spec.folder ?? projectFolder,
    world,
    onKeeperEvent: ({ type }) => logger.error(type),
    onTraceEvent: (event) => logger.warn(event, event.type),
  })
  // Nobody waits for calls that a test has left hanging.
  const server = await createServer(runtime, { logger, graceMs: 0 })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= server.close().then(() => runtime.close())
    return closing
  }
  onTestFinished(close)
  return { url, ...createClient(url), server, runtime, logLines, close }
}

/** Starts a provider that is closed after the test. What its script throws fails the test. */
export async function scripted(
  script: Script,
  options: Parameters<typeof startProvider>[1] = {},
): Promise<ScriptedProvider> {
  const provider = await startProvider(script, options)
  onTestFinished(() => provider.close())
  return provider
}

/** At OpenAI's prices for gpt-4o, $2.50 and $10 a million tokens, a reply with this usage costs {@link replyUsd}. */
export const usage = { promptTokens: 1_000, completionTokens: 100 }
export const replyUsd = 0.0035

/** A scripted provider, and a service that asks it. */
export async function serve(script: Script, spec: ServiceSpec = {}) {
  const provider = await scripted(script)
  return { provider, service: await startService({ provider, ...spec }) }
}

/** What the provider was sent, one list of "role: text" for each request. */
export function conversations({ requests }: ScriptedProvider): readonly (readonly string[])[] {
  return requests.map(({ messages }) => messages.map((message) => `${message.role}: ${wireText(message)}`))
}
