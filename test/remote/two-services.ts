import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { writePackage } from '../e2e/support/package.ts'
import { type ServiceSpec, scripted, startService } from '../e2e/support/service.ts'
import { type Script, says } from '../support/scripted-provider.ts'

/** A reply costs 105,000,000 pico-USD: 100 tokens at 150,000 and 150 at 600,000. */
export const replyUsage = { promptTokens: 100, completionTokens: 150 }
export const replyUsd = 0.000_105
export const prices = {
  'small-1': { promptPicoPerToken: 150_000, cachedPicoPerToken: 150_000, completionPicoPerToken: 600_000 },
}

const config = (more: string) => `global: { model_name: small-1, max_completion_tokens: 200, max_llm_recall: 0 }
agent_configs: [{ name: writer, system_prompt: You write. }]
${more}`
const priceFile = { 'prices.yaml': 'small-1: { input_per_mtok: 0.15, output_per_mtok: 0.6 }\n' }

const asker = (name: string, before = '', spec = '') => `import { Tactic } from 'lllm'
${before}
export default class extends Tactic({ name: '${name}', agents: ['writer']${spec} }) {
  async call(task) {
    const own = (await this.agents.writer.open('ask').receive(task).respond()).content
    return this.tactics.below === undefined ? own : own + ', ' + (await this.tactics.below(task))
  }
}
`

/** The package of the service that is called: a tactic, and one below it. Each asks its agent once. */
const farFiles = {
  'lllm.toml': '[package]\nname = "far"\nversion = "2.0.0"\n',
  'tactics/note.ts': asker('note'),
  'tactics/researcher.ts': asker('researcher', "import Note from './note.ts'", ', tactics: { below: Note }'),
  'configs/note.yaml': config(''),
  'configs/researcher.yaml': config(''),
  ...priceFile,
}

export interface NearSpec {
  /** The remote tactic, in code: `remoteTactic('URL', 'researcher')` when left out. */
  readonly remote?: (url: string) => string
  /** The body of the tactic that calls it. */
  readonly call?: string
  /** Lines of its config. */
  readonly limits?: string
  readonly budgets?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a service whose tactic `chief` calls the researcher of the service at `url`. */
export async function startNear(url: string, spec: NearSpec = {}, more: Partial<ServiceSpec> = {}) {
  const {
    remote = (far) => `remoteTactic('${far}', 'researcher')`,
    call = 'return await this.tactics.research(task)',
  } = spec
  const folder = await writePackage({
    'lllm.toml': '[package]\nname = "near"\nversion = "1.0.0"\n',
    'tactics/chief.ts': `import { remoteTactic, Tactic } from 'lllm'
export const Remote = ${remote(url)}
export default class Chief extends Tactic({ name: 'chief', agents: ['writer'], tactics: { research: Remote } }) {
  async call(task) {
    ${call}
  }
}
`,
    'configs/chief.yaml': config(spec.limits ?? ''),
    ...(spec.budgets === undefined ? {} : { 'budgets.yaml': spec.budgets }),
    ...priceFile,
  })
  const env = {
    LLLM_PRICES: join(folder, 'prices.yaml'),
    ...(spec.budgets === undefined ? {} : { LLLM_BUDGETS: join(folder, 'budgets.yaml') }),
    ...spec.env,
  }
  return startService({ folder, env, ...more })
}

/** Starts two services, the near one of which calls a tactic of the far one. Both ask the same provider. */
export async function startTwo(
  spec: NearSpec & { readonly script?: Script; readonly farEnv?: Readonly<Record<string, string>> } = {},
) {
  const provider = await scripted(spec.script ?? (({ lastText }) => says(`re: ${lastText}`, { usage: replyUsage })), {
    prices,
  })
  const farFolder = await writePackage(farFiles)
  const env = { LLLM_PRICES: join(farFolder, 'prices.yaml'), ...spec.farEnv }
  const far = await startService({ provider, folder: farFolder, env })
  const near = await startNear(far.url, spec, { provider })
  onTestFinished(() => near.close())
  return { provider, far, near }
}
