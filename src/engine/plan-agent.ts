import type { AgentPlan, ModelChoice } from '../domain/agent.ts'
import type { AgentConfig, Config } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import { picoUsdPerUsd } from '../domain/cost.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import type { Invoker } from '../domain/invoker.ts'
import type { InvokerPool } from '../domain/invoker-pool.ts'
import type { Package } from '../domain/package.ts'
import { type AnyPrompt, definePrompt } from '../domain/prompt.ts'
import type { ToolSource } from '../domain/tool-source.ts'

/** What configs may refer to beside what is in their package. */
export interface BindParts {
  readonly invokers: InvokerPool
  readonly toolSource: ToolSource
}

/**
 * Resolves what a config says about an agent: its prompt, its invoker, its limits.
 *
 * @throws LllmError `invalid-config`, which names the file and what is known.
 */
export function planAgent(config: Config, agent: AgentConfig, source: Package, parts: BindParts): AgentPlan {
  const { name, contextManager, ceilingPrice } = agent
  const invoker = findInvoker(config, name, agent.invoker, parts.invokers)
  const model = agent.modelName ?? (invoker.simulated ? 'simulated' : undefined)
  if (model === undefined) {
    throw configMistake(
      config.file,
      `/agent_configs: the agent "${name}" has no model_name; give it one, or give one to global.`,
    )
  }
  return {
    name,
    model,
    invoker,
    fallbacks: agent.fallbackModels.map((fallback) => planFallback(config, agent, invoker, fallback, parts.invokers)),
    apiType: agent.apiType,
    modelArgs: agent.modelArgs,
    systemPrompt: systemPrompt(config, agent, source, parts.toolSource),
    maxExceptionRetry: agent.maxExceptionRetry,
    maxInterruptSteps: agent.maxInterruptSteps,
    maxLlmRecall: agent.maxLlmRecall,
    ...(contextManager === undefined
      ? {}
      : { contextLimit: { type: contextManager.type, maxTokens: contextManager.max_tokens } }),
    ...(ceilingPrice === undefined
      ? {}
      : {
          ceilingPrice: {
            promptPicoUsd: ceilPicoPerToken(ceilingPrice.input_per_mtok),
            completionPicoUsd: ceilPicoPerToken(ceilingPrice.output_per_mtok),
          },
        }),
  }
}

function ceilPicoPerToken(usdPerMtok: number): number {
  return Math.ceil((usdPerMtok * picoUsdPerUsd) / 1e6)
}

/**
 * Finds a prompt of a package. `package:path` and `package.prompts:path` name it in full; a bare path does as well.
 *
 * @throws LllmError `unknown-prompt`, which lists what is known.
 */
export function findPrompt({ name, prompts }: Package, path: string): AnyPrompt {
  const prefix = [`${name}:`, `${name}.prompts:`].find((known) => path.startsWith(known)) ?? ''
  const prompt = prompts.get(path.slice(prefix.length))
  if (prompt !== undefined) return prompt
  const known = [...prompts.keys()]
  throw new LllmError('unknown-prompt', `There is no prompt "${path}". ${listKnown(path, known)}`, { known })
}

function systemPrompt(config: Config, agent: AgentConfig, source: Package, toolSource: ToolSource): AnyPrompt {
  const { name, systemPrompt: template, systemPromptPath: path } = agent
  if (template !== undefined) return definePrompt({ template })
  if (path === undefined) {
    throw configMistake(
      config.file,
      `/agent_configs: the agent "${name}" has neither system_prompt nor system_prompt_path.`,
    )
  }
  const prompt = findOrExplain(config, name, source, path)
  const unknown = prompt.mcpServers.find((server) => !toolSource.servers.includes(server))
  if (unknown === undefined) return prompt
  throw configMistake(
    config.file,
    `The prompt "${path}" uses the MCP server "${unknown}", which is not in the settings. ${listKnown(unknown, toolSource.servers)}`,
  )
}

function findOrExplain(config: Config, agent: string, source: Package, path: string): AnyPrompt {
  try {
    return findPrompt(source, path)
  } catch (error) {
    throw configMistake(config.file, `/agent_configs: "${agent}": ${(error as LllmError).message}`)
  }
}

function planFallback(
  config: Config,
  agent: AgentConfig,
  standard: Invoker,
  { modelName: model, invoker: named }: AgentConfig['fallbackModels'][number],
  invokers: InvokerPool,
): ModelChoice {
  const invoker = named === undefined ? standard : findInvoker(config, agent.name, named, invokers)
  // Made up answers must not look like those of a model that is down.
  if (!invoker.simulated || standard.simulated) return { model, invoker }
  throw configMistake(
    config.file,
    `/agent_configs: the agent "${agent.name}" has the fallback model "${model}", which is simulated; its own model is not.`,
  )
}

function findInvoker(config: Config, agent: string, invoker: string | undefined, invokers: InvokerPool): Invoker {
  if (invoker === undefined) return invokers.default
  const declared = config.invokers.get(invoker)
  const found = declared === undefined ? invokers.builtIn.get(invoker) : invokers.declared(invoker, declared)
  if (found !== undefined) return found
  const known = [...config.invokers.keys(), ...invokers.builtIn.keys()]
  throw configMistake(
    config.file,
    `/agent_configs: the agent "${agent}" has an unknown invoker "${invoker}". ${listKnown(invoker, known)}`,
  )
}
