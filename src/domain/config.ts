import { z } from 'zod'
import { configMistake, mergeBases } from './config-bases.ts'
import { limitsConfig, parseLimits } from './config-limits.ts'
import type { JsonObject } from './json.ts'
import type { Limits } from './limits.ts'
import type { ConfigSource, Package } from './package.ts'
import { type StoreContent, storeContents } from './store-content.ts'
import { tellIssue } from './tell-issue.ts'

/** At most this many mistakes of one file are told at once. */
const issuesMax = 10

const count = (max: number) => z.int().min(0).max(max)

/** At most this many models stand in for another. */
const fallbacksMax = 8

const modelName = z.string().min(1).max(256)
const invokerName = z.string().min(1).max(64)

const usdPerMtok = z.number().min(0).max(1e6)

const agentFields = {
  model_name: modelName,
  system_prompt: z.string(),
  system_prompt_path: z.string().min(1).max(512),
  api_type: z.enum(['completion', 'response']),
  model_args: z.record(z.string(), z.json()),
  max_exception_retry: count(20),
  max_interrupt_steps: count(100),
  max_llm_recall: count(20),
  context_manager: z.strictObject({ type: z.enum(['drop', 'truncate']), max_tokens: z.int().min(1) }),
  invoker: invokerName,
  fallback_models: z
    .array(z.union([modelName, z.strictObject({ model_name: modelName, invoker: invokerName.optional() })]))
    .max(fallbacksMax),
  /** USD for a million tokens. */
  ceiling_price: z.strictObject({ input_per_mtok: usdPerMtok, output_per_mtok: usdPerMtok }),
}

// Unknown keys of an agent become model_args, so they may be anything that JSON can carry.
const agentDefaults = z.object(agentFields).partial().catchall(z.json())
const agentConfig = agentDefaults.extend({ name: z.string().min(1).max(64) })
const globalConfig = agentDefaults.extend({ name: z.never('global holds for every agent and has no name').optional() })

const invokerConfig = z.strictObject({
  type: z.literal('openai').default('openai'),
  base_url: z.url({ protocol: /^https?$/, hostname: /.*/ }),
  /** What the role of instructions is called by this server: OpenAI says `developer`, most others `system`. */
  system_role: z.enum(['developer', 'system']).default('system'),
  /** What may be asked of each of its models. */
  limits: z
    .strictObject({
      concurrency: z.int().min(1).max(100_000),
      requests_per_minute: z.int().min(1).max(1_000_000_000),
      tokens_per_minute: z.int().min(1).max(100_000_000_000),
    })
    .partial()
    .default({}),
})

const configFile = z.strictObject({
  base: z.string().min(1).max(512).optional(),
  tactic_type: z.string().min(1).max(192).optional(),
  description: z.string().optional(),
  global: globalConfig.optional(),
  agent_configs: z.array(agentConfig).optional(),
  invokers: z.record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/), invokerConfig).optional(),
  sub_tactics: z.record(z.string(), z.string().min(1)).optional(),
  limits: limitsConfig.optional(),
  store_content: z.enum(storeContents).optional(),
})

type AgentDefaults = z.output<typeof agentDefaults>
export type InvokerConfig = z.output<typeof invokerConfig>

/** What config says about one agent, `global` merged in. */
export interface AgentConfig {
  readonly name: string
  readonly modelName: string | undefined
  readonly systemPrompt: string | undefined
  readonly systemPromptPath: string | undefined
  readonly apiType: 'completion' | 'response'
  readonly modelArgs: JsonObject
  readonly maxExceptionRetry: number
  readonly maxInterruptSteps: number
  readonly maxLlmRecall: number
  readonly contextManager: { readonly type: 'drop' | 'truncate'; readonly max_tokens: number } | undefined
  readonly invoker: string | undefined
  readonly ceilingPrice: { readonly input_per_mtok: number; readonly output_per_mtok: number } | undefined
  /** Asked in this order when the model fails. Without an invoker of their own they have the agent's. */
  readonly fallbackModels: readonly { readonly modelName: string; readonly invoker: string | undefined }[]
}

/** A config with its bases merged in, its shape checked. */
export interface Config {
  readonly name: string
  readonly file: string
  /** The package that it is in: where its names mean something. */
  readonly home: Package
  readonly tacticType: string | undefined
  readonly agents: ReadonlyMap<string, AgentConfig>
  readonly invokers: ReadonlyMap<string, InvokerConfig>
  /** By the name of a sub-tactic: the name of the config that it is called with. */
  readonly subTactics: ReadonlyMap<string, string>
  /** What each call with this config may take. */
  readonly limits: Limits
  /** What is kept of the texts of its calls, where the settings keep more. */
  readonly storeContent: StoreContent
  /** The merged value, for the hash of the session and for whoever wants to look. */
  readonly value: Readonly<Record<string, unknown>>
}

/**
 * Merges a config with its chain of `base`s and judges what comes out. Maps are merged key by key; lists and scalars replace.
 *
 * A base is looked for beside the config first (`default` in `code_review/pro` is `code_review/default`), then from the top
 * of its package, then in its dependencies; `package:name` names it in full.
 *
 * @throws LllmError `invalid-config`, which names the file and what is known.
 */
export function resolveConfig(source: ConfigSource, home: Package): Config {
  const { name, file } = source
  const value = mergeBases(source, home)
  const parsed = configFile.safeParse(value)
  if (!parsed.success) {
    const known = Object.keys(configFile.shape)
    const told = parsed.error.issues.slice(0, issuesMax).map((issue) => tellIssue(issue, known))
    throw configMistake(file, told.join(' '))
  }
  const { global: defaults = {}, agent_configs = [], invokers = {}, sub_tactics = {} } = parsed.data
  const agents = new Map<string, AgentConfig>()
  for (const agent of agent_configs) {
    if (agents.has(agent.name)) {
      throw configMistake(file, `/agent_configs: the agent "${agent.name}" is configured twice.`)
    }
    agents.set(agent.name, parseAgent(defaults, agent, file))
  }
  return {
    name,
    file,
    home,
    tacticType: parsed.data.tactic_type,
    agents,
    invokers: new Map(Object.entries(invokers)),
    subTactics: new Map(Object.entries(sub_tactics)),
    limits: parseLimits(parsed.data.limits ?? {}),
    storeContent: parsed.data.store_content ?? 'full',
    value,
  }
}

function parseAgent(defaults: AgentDefaults, agent: z.output<typeof agentConfig>, file: string): AgentConfig {
  if (agent.system_prompt !== undefined && agent.system_prompt_path !== undefined) {
    throw configMistake(
      file,
      `/agent_configs: "${agent.name}" has a system_prompt and a system_prompt_path: give one of them.`,
    )
  }
  // An agent's own prompt, of whichever kind, replaces the default one.
  const ownPrompt = agent.system_prompt !== undefined || agent.system_prompt_path !== undefined
  const { system_prompt, system_prompt_path, ...merged } = {
    ...(ownPrompt ? { ...defaults, system_prompt: undefined, system_prompt_path: undefined } : defaults),
    ...agent,
  }
  return {
    name: agent.name,
    modelName: merged.model_name,
    systemPrompt: system_prompt,
    systemPromptPath: system_prompt_path,
    apiType: merged.api_type ?? 'completion',
    modelArgs: { ...modelArgsOf(defaults), ...modelArgsOf(agent) },
    maxExceptionRetry: merged.max_exception_retry ?? 3,
    maxInterruptSteps: merged.max_interrupt_steps ?? 5,
    maxLlmRecall: merged.max_llm_recall ?? 2,
    contextManager: merged.context_manager,
    invoker: merged.invoker,
    ceilingPrice: merged.ceiling_price,
    fallbackModels: (merged.fallback_models ?? []).map((fallback) =>
      typeof fallback === 'string'
        ? { modelName: fallback, invoker: undefined }
        : { modelName: fallback.model_name, invoker: fallback.invoker },
    ),
  }
}

/** The `model_args` of an agent, or of `global`, and the keys beside them that are not ours. */
function modelArgsOf(agent: AgentDefaults): JsonObject {
  const unknownKeys = Object.entries(agent).filter(([key]) => key !== 'name' && !Object.hasOwn(agentFields, key))
  return { ...(Object.fromEntries(unknownKeys) as JsonObject), ...agent.model_args }
}
