import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { onTestFinished } from 'vitest'
import { type LllmPluginOptions, lllmPlugin, loadRuntime, type Runtime } from '../../../src/index.ts'
import type { Script, ScriptedProvider } from '../../support/scripted-provider.ts'
import { config, writePackage } from './package.ts'
import { environmentOf, type ServiceSpec, scripted } from './service.ts'

/** Answers with what the model says of the task. */
function tacticFile(name: string) {
  return `import { Tactic } from 'lllm'
export default class extends Tactic({ name: '${name}', agents: ['clerk'] }) {
  async call(task) { return (await this.agents.clerk.open('desk').receive(task).respond()).content }
}
`
}

/** A runtime of a package with one tactic. It is closed after the test. */
export async function openRuntime(tactic: string, { provider, ...spec }: ServiceSpec = {}): Promise<Runtime> {
  const folder = await writePackage({
    'lllm.toml': `[package]\nname = "of_${tactic}"\nversion = "1.0.0"\n`,
    [`tactics/${tactic}.ts`]: tacticFile(tactic),
    [`configs/${tactic}.yaml`]: config(tactic, { clerk: 'You help.' }),
  })
  const env = environmentOf({ ...spec, ...(provider === undefined ? {} : { provider }) })
  const runtime = await loadRuntime({ folder, env: { LLLM_LOG_LEVEL: 'silent', LLLM_GRACE_MS: '0', ...env } })
  onTestFinished(() => runtime.close())
  return runtime
}

/** A runtime with the tactic `answer`, whose model is scripted. */
export async function openScripted(
  script: Script,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly runtime: Runtime; readonly provider: ScriptedProvider }> {
  const provider = await scripted(script)
  return { provider, runtime: await openRuntime('answer', { provider, env }) }
}

/** Somebody's application. It is closed after the test. */
export function openHost(options: FastifyServerOptions = {}): FastifyInstance {
  const host: FastifyInstance = fastify(options)
  onTestFinished(() => host.close())
  return host
}

/** An application that has the service under `/ai`. */
export async function embed(
  runtime: Runtime,
  options: Partial<LllmPluginOptions> = {},
  host = openHost(),
): Promise<FastifyInstance> {
  await host.register(lllmPlugin, { runtime, prefix: '/ai', ...options })
  return host
}
