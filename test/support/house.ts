import type { Clock, World } from '../../src/domain/clock.ts'
import type { Invoker, PriceBook } from '../../src/domain/invoker.ts'
import type { InvokerPool } from '../../src/domain/invoker-pool.ts'
import type { ConfigSource, Package } from '../../src/domain/package.ts'
import type { AnyPrompt } from '../../src/domain/prompt.ts'
import type { Session } from '../../src/domain/session.ts'
import type { GivenTo, OutputOf, TacticClass } from '../../src/domain/tactic.ts'
import type { Tool } from '../../src/domain/tool.ts'
import type { ToolSource } from '../../src/domain/tool-source.ts'
import { bindPackage } from '../../src/engine/bind.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import type { EngineParts } from '../../src/engine/engine-parts.ts'
import { makeHandle } from '../../src/engine/handle.ts'
import type { StandingBudgets } from '../../src/engine/standing-budgets.ts'
import { type Script, says, scriptedModel } from './scripted-model.ts'

export type ConfigValue = Readonly<Record<string, unknown>>

export interface HouseSpec<First extends TacticClass> {
  /** The first is the one that `call` and `session` mean. */
  readonly tactics: readonly [First, ...TacticClass[]]
  readonly model?: Script
  /** More invokers that configs may name. */
  readonly invokers?: readonly Invoker[]
  /** Keys that all agents have in common: `max_llm_recall`, `context_manager` … */
  readonly global?: ConfigValue
  /** By the name of a tactic or `name/profile`; left out, each tactic gets a config with all of its agents. */
  readonly configs?: Readonly<Record<string, ConfigValue>>
  /** The system prompts of agents, by the agent's name. */
  readonly systemPrompts?: Readonly<Record<string, AnyPrompt>>
  readonly prompts?: Readonly<Record<string, AnyPrompt>>
  /** The tools of MCP servers, by the server's name. */
  readonly mcp?: Readonly<Record<string, readonly Tool[]>>
  readonly budgets?: StandingBudgets
  /** The `limits` of all generated configs. */
  readonly limits?: ConfigValue
  /** What chance gives each time, 0..1. */
  readonly random?: number
}

/** A whole engine around a scripted model. Its clock moves only by what it is asked to sleep; its ids count up. */
export function house<First extends TacticClass>(spec: HouseSpec<First>) {
  const model = scriptedModel(spec.model ?? says('fine'))
  const { clock, sleeps } = manualClock(spec.random)
  const parts: EngineParts = {
    world: { clock, newId: countingIds() },
    prices: testPrices,
    toolSource: toolSource(spec),
    ...(spec.budgets === undefined ? {} : { budgets: spec.budgets }),
  }
  const stored: Session[] = []
  const keeper = { waitingCount: 0, keep: async (session: Session) => void stored.push(session) }
  const source = makePackage(spec)
  const bindParts = { invokers: poolOf(model.invoker, spec.invokers), toolSource: parts.toolSource }
  const engine = createEngine(bindPackage(source, bindParts), parts, keeper)
  const handle = makeHandle<GivenTo<First>, OutputOf<First>>(engine, engine.find(nameOf(spec.tactics[0])))
  return { engine, parts, source, bindParts, model, sleeps, stored, call: handle, session: handle.session }
}

/** The name that a registered tactic has. */
export function nameOf({ spec }: TacticClass): string {
  return spec.name ?? ''
}

export const testPrices: PriceBook = {
  price(models, { promptTokens, completionTokens }) {
    if (!models.includes('test-model')) return null
    return { promptPicoUsd: promptTokens * 1_000_000, completionPicoUsd: completionTokens * 2_000_000 }
  },
}

/** A clock that nobody waits for: a sleep is noted down, and time has passed. */
export function manualClock(random = 0.5) {
  const sleeps: number[] = []
  let nowMs = Date.UTC(2026, 0, 1)
  const clock: Clock = {
    now: () => nowMs,
    async sleep(durationMs, signal) {
      signal.throwIfAborted()
      sleeps.push(durationMs)
      nowMs += durationMs
    },
    random: () => random,
  }
  return { clock, sleeps }
}

export function countingIds(): World['newId'] {
  let count = 0
  return () => `id-${++count}`
}

export function poolOf(invoker: Invoker, others: readonly Invoker[] = []): InvokerPool {
  return {
    default: invoker,
    builtIn: new Map(others.map((other) => [other.name, other])),
    declared: (name) => ({ ...invoker, name }),
    all: () => [invoker, ...others],
    close: async () => {},
  }
}

function toolSource({ mcp = {} }: Pick<HouseSpec<TacticClass>, 'mcp'>): ToolSource {
  return {
    servers: Object.keys(mcp),
    tools: async (server) => mcp[server] ?? [],
    close: async () => {},
  }
}

function makePackage(spec: HouseSpec<TacticClass>): Package {
  const systemPrompts = Object.entries(spec.systemPrompts ?? {}).map(([agent, prompt]) => [`system/${agent}`, prompt])
  const prompts = new Map<string, AnyPrompt>([...Object.entries(spec.prompts ?? {}), ...(systemPrompts as [])])
  const values = spec.configs ?? generateConfigs(spec)
  const configs = Object.entries(values).map(([name, value]): [string, ConfigSource] => [
    name,
    { name, file: `configs/${name}.yaml`, value },
  ])
  return {
    name: 'house',
    version: '1.0.0',
    tactics: spec.tactics.map((tactic) => ({ tactic, file: `tactics/${nameOf(tactic)}.ts` })),
    configs: new Map(configs),
    prompts,
  }
}

function generateConfigs({
  tactics,
  global,
  limits,
  systemPrompts,
}: HouseSpec<TacticClass>): Record<string, ConfigValue> {
  const entries = tactics.map((tactic): [string, ConfigValue] => [
    nameOf(tactic),
    {
      global: { model_name: 'test-model', ...global },
      ...(limits === undefined ? {} : { limits }),
      agent_configs: agentsBelow(tactic).map((name) =>
        systemPrompts?.[name] === undefined
          ? { name, system_prompt: `You are the ${name}.` }
          : { name, system_prompt_path: `system/${name}` },
      ),
    },
  ])
  return Object.fromEntries(entries)
}

/** The agents of a tactic and of the sub-tactics that are not registered, and so have no config of their own. */
function agentsBelow(tactic: TacticClass): readonly string[] {
  const below = Object.values(tactic.spec.tactics).flatMap(agentsBelow)
  return [...new Set([...tactic.spec.agents, ...below])]
}
