import type { Clock, World } from '../../src/domain/clock.ts'
import type { Invoker, PriceBook } from '../../src/domain/invoker.ts'
import type { InvokerPool } from '../../src/domain/invoker-pool.ts'
import { type ConfigSource, makePackage, type Package } from '../../src/domain/package.ts'
import type { AnyPrompt } from '../../src/domain/prompt.ts'
import type { Session } from '../../src/domain/session.ts'
import type { GivenTo, OutputOf, TacticClass } from '../../src/domain/tactic.ts'
import type { Tool } from '../../src/domain/tool.ts'
import type { ToolSource } from '../../src/domain/tool-source.ts'
import { createBinder } from '../../src/engine/bind.ts'
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
  const source = describePackage(spec)
  const bindParts = { invokers: poolOf(model.invoker, spec.invokers), toolSource: parts.toolSource }
  const binder = createBinder({ root: source, all: [source] }, bindParts)
  const engine = createEngine(binder.bindAll(), parts, keeper)
  const handle = makeHandle<GivenTo<First>, OutputOf<First>>(engine, engine.find(nameOf(spec.tactics[0])))
  return { engine, parts, source, binder, bindParts, model, sleeps, stored, call: handle, session: handle.session }
}

export const testPrices: PriceBook = flatPrices((model) => model === 'test-model')

function toolSource({ mcp = {} }: Pick<HouseSpec<TacticClass>, 'mcp'>): ToolSource {
  return {
    servers: Object.keys(mcp),
    tools: async (server) => mcp[server] ?? [],
    close: async () => {},
  }
}
