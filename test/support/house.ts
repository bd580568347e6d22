import type { Invoker, PriceBook } from '../../src/domain/invoker.ts'
import type { Observe } from '../../src/domain/observation.ts'
import type { AnyPrompt } from '../../src/domain/prompt.ts'
import type { Session } from '../../src/domain/session.ts'
import type { GivenTo, OutputOf, TacticClass } from '../../src/domain/tactic.ts'
import type { Tool } from '../../src/domain/tool.ts'
import type { Tracing } from '../../src/domain/tracing.ts'
import { createBinder } from '../../src/engine/bind.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import type { EngineParts } from '../../src/engine/engine-parts.ts'
import { makeHandle } from '../../src/engine/handle.ts'
import type { StandingBudgets } from '../../src/engine/standing-budgets.ts'
import { type Script, scriptedModel } from '../../src/testing/scripted-model.ts'
import { describePackage, nameOf, type TestPackageSpec } from '../../src/testing/test-package.ts'
import { countingIds, flatPrices, manualClock, poolOf, toolSourceOf } from '../../src/testing/test-world.ts'

export interface HouseSpec<First extends TacticClass> extends TestPackageSpec {
  /** The first is the one that `call` and `session` mean. */
  readonly tactics: readonly [First, ...TacticClass[]]
  /** Default: every reply is "fine". */
  readonly model?: Script
  /** More invokers that configs may name. */
  readonly invokers?: readonly Invoker[]
  /** The system prompts of agents, by the agent's name. */
  readonly systemPrompts?: Readonly<Record<string, AnyPrompt>>
  /** The tools of MCP servers, by the server's name. */
  readonly mcp?: Readonly<Record<string, readonly Tool[]>>
  readonly budgets?: StandingBudgets
  readonly tracing?: Tracing
  readonly observe?: Observe
  /** What chance gives each time, 0..1. */
  readonly random?: number
}

/** A whole engine around a scripted model. Its clock moves only by what it is asked to sleep; its ids count up. */
export function house<First extends TacticClass>(spec: HouseSpec<First>) {
  const model = scriptedModel(spec.model ?? 'fine', 'test')
  const { clock, sleeps } = manualClock(spec.random)
  const parts: EngineParts = {
    world: { clock, newId: countingIds() },
    prices: testPrices,
    toolSource: toolSourceOf(spec.mcp),
    ...(spec.budgets === undefined ? {} : { budgets: spec.budgets }),
    ...(spec.tracing === undefined ? {} : { tracing: spec.tracing }),
    ...(spec.observe === undefined ? {} : { observe: spec.observe }),
  }
  const stored: Session[] = []
  const keeper = { waitingCount: 0, keep: async (session: Session) => void stored.push(session) }
  const source = sourceOf(spec)
  const bindParts = { invokers: poolOf(model.invoker, spec.invokers), toolSource: parts.toolSource }
  const binder = createBinder({ root: source, all: [source] }, bindParts)
  const engine = createEngine(binder.bindAll(), parts, keeper)
  const handle = makeHandle<GivenTo<First>, OutputOf<First>>(engine, engine.find(nameOf(spec.tactics[0])))
  return { engine, parts, source, binder, bindParts, model, sleeps, stored, call: handle, session: handle.session }
}

export const testPrices: PriceBook = flatPrices((model) => model === 'test-model')

function sourceOf<First extends TacticClass>({ systemPrompts = {}, prompts, ...spec }: HouseSpec<First>) {
  const ofAgents = Object.entries(systemPrompts).map(([agent, prompt]) => [`system/${agent}`, prompt])
  return describePackage({ ...spec, prompts: { ...prompts, ...Object.fromEntries(ofAgents) } }, 'house')
}
