import type { AgentPlan, ModelChoice } from '../domain/agent.ts'
import type { AgentConfig, Config } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import { picoUsdPerUsd } from '../domain/cost.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import { findResource } from '../domain/find-resource.ts'
import type { Invoker } from '../domain/invoker.ts'
import type { InvokerPool } from '../domain/invoker-pool.ts'
import type { Package } from '../domain/package.ts'
import { type AnyPrompt, definePrompt } from '../domain/prompt.ts'
import { promptKind } from '../domain/resource-kinds.ts'
import type { ToolSource } from '../domain/tool-source.ts'

/** What configs may refer to beside what is in their package. */
export interface BindParts {
  readonly invokers: InvokerPool
  readonly toolSource: ToolSource
  /** For whoever wants to know all mistakes: is told of each, instead of the first being thrown. What is bound then is of no use. */
  readonly onMistake?: (mistake: LllmError) => void
}

/**
 * Resolves what a config says about an agent: its prompt, its invoker, its limits.
 *
 * @throws LllmError `invalid-config`, which names the file and what is known.
 */
export function planAgent(config: Config, agent: AgentConfig, parts: BindParts): AgentPlan {
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
    systemPrompt: systemPrompt(config, agent, parts.toolSource),
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
 * Finds a prompt that a package speaks of. `package:path` and `package.prompts:path` name it in full; a bare path does as well.
 *
 * @throws LllmError `unknown-prompt`, which lists what is known.
 */
export function findPrompt(home: Package, path: string): AnyPrompt {
  const found = findResource(home, path, promptKind)
  if (found.ok) return found.value
  throw new LllmError('unknown-prompt', found.message, { known: found.known })
}

function systemPrompt(config: Config, agent: AgentConfig, toolSource: ToolSource): AnyPrompt {
  const { name, systemPrompt: template, systemPromptPath: path } = agent
  if (template !== undefined) return definePrompt({ template })
  if (path === undefined) {
    throw configMistake(
      config.file,
      `/agent_configs: the agent "${name}" has neither system_prompt nor system_prompt_path.`,
    )
  }
  const found = findResource(config.home, path, promptKind)
  if (!found.ok) throw configMistake(config.file, `/agent_configs: "${name}": ${found.message}`)
  const prompt = found.value
  const unknown = prompt.mcpServers.find((server) => !toolSource.servers.includes(server))
  if (unknown === undefined) return prompt
  throw configMistake(
    config.file,
    `The prompt "${path}" uses the MCP server "${unknown}", which is not in the settings. ${listKnown(unknown, toolSource.servers)}`,
  )
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
