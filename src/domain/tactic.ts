import { z } from 'zod'
import type { Agent } from './agent.ts'
import type { Json } from './json.ts'
import { LiveTactic } from './live-tactic.ts'
import type { Asset } from './package.ts'
import type { RemoteTarget } from './remote.ts'
import type { Schema, SchemaInput, SchemaOutput } from './schema.ts'

/** What a tactic declares about itself. Everything is said once, here. */
export interface TacticSpec {
  /** How the tactic is reached: `[a-z0-9]` with `_` and `-` inside, at most 64. Without a name it is a base: it cannot be registered. */
  readonly name?: string
  readonly description?: string
  readonly agents: readonly string[]
  readonly tactics: Readonly<Record<string, TacticClass>>
  readonly input: Schema
  readonly output: Schema
  /** What `emit` tells. */
  readonly progress: Schema
  /** Inputs that are worth trying, shown in the OpenAPI document. */
  readonly examples: readonly unknown[]
  /** Of a tactic of another service: where it is. */
  readonly remote?: RemoteTarget
}

/** What the engine hands to a tactic when it makes one for a call. */
export interface Scope {
  readonly agents: Readonly<Record<string, Agent>>
  readonly tactics: Readonly<Record<string, SubTactic>>
  readonly signal: AbortSignal
  emit(data: Json): Promise<void>
  now(): Promise<number>
  random(): Promise<number>
  sleep(durationMs: number): Promise<void>
  asset(url: string): Asset
}

/** What a batch made of one of its tasks. Failures are values: one bad task does not hide the results of the others. */
export type Settled<Output> =
  | { readonly index: number; readonly status: 'success'; readonly result: Output }
  | { readonly index: number; readonly status: 'failure' | 'cancelled' | 'skipped'; readonly error: unknown }

export interface BatchOptions {
  /** Tasks under way at once, 1..1000. Default 4. */
  readonly maxWorkers?: number
  /** Whether the first failure in time ends the batch: what has not been started is skipped. Default false. */
  readonly failFast?: boolean
}

/** A declared sub-tactic, called like a function. Its session becomes a child of the caller's. */
export interface SubTactic<Input = never, Output = unknown> {
  /** Rejects with the sub-tactic's error; what it spent stays recorded. */
  (task: Input): Promise<Output>
  /** Many tasks, each a child of its own, in the order of the tasks. Never rejects for a task's failure. */
  batch(tasks: readonly Input[], options?: BatchOptions): Promise<readonly Settled<Output>[]>
}

/** Any concrete tactic, seen from the engine. */
export interface TacticClass {
  readonly spec: TacticSpec
  /** A tactic without a name is a base for others: it can neither be registered nor called. */
  readonly hasName: true
  new (scope: Scope): { call(task: never): Promise<unknown> }
}

export type AgentsOf<Names extends readonly string[]> = { readonly [Name in Names[number]]: Agent }
export type SubTacticsOf<Tactics> = {
  readonly [Name in keyof Tactics]: SubTactic<GivenTo<Tactics[Name]>, OutputOf<Tactics[Name]>>
}

/** What `call` receives: the task after validation, with its defaults filled in. */
export type InputOf<T> = T extends { readonly spec: { readonly input: infer In extends Schema } }
  ? SchemaOutput<In>
  : never
/** What a caller may send: the task before its defaults are filled in. */
export type GivenTo<T> = T extends { readonly spec: { readonly input: infer In extends Schema } }
  ? SchemaInput<In>
  : never
/** What a caller gets back. */
export type OutputOf<T> = T extends { readonly spec: { readonly output: infer Out extends Schema } }
  ? SchemaOutput<Out>
  : never

/** How a tactic is reached: in a URL, in a config, on the command line. */
export const tacticName = /^[a-z0-9][a-z0-9_-]{0,63}$/

const brand = Symbol.for('lllm.tactic')

/** Whether a value is the class of a tactic, of this or another copy of this module. */
export function isTacticClass(value: unknown): value is TacticClass {
  return typeof value === 'function' && brand in value && 'spec' in value
}

/**
 * Makes the base class of a tactic from its spec.
 *
 * The engine makes one instance per call, so a field of the class belongs to that call alone. That is the whole isolation
 * mechanism: nothing is copied and nothing is shared. Input and output are strings unless schemas are given.
 */
export function Tactic<
  const Name extends string | undefined = undefined,
  const Agents extends readonly string[] = readonly [],
  const Tactics extends Readonly<Record<string, TacticClass>> = Record<never, never>,
  In extends Schema = z.ZodString,
  Out extends Schema = z.ZodString,
  Progress extends Schema<Json> = Schema<Json>,
>(given: {
  readonly name?: Name
  readonly description?: string
  readonly agents?: Agents
  readonly tactics?: Tactics
  readonly input?: In
  readonly output?: Out
  /** The type of what `this.emit` tells. It is for the compiler: what is told is not checked again. Default: any JSON. */
  readonly progress?: Progress
  readonly examples?: readonly SchemaInput<NoInfer<In>>[]
}): TacticBase<Agents, Tactics, In, Out, Progress> & Named<Name> {
  const spec = {
    ...given,
    agents: given.agents ?? [],
    tactics: given.tactics ?? {},
    input: given.input ?? z.string(),
    output: given.output ?? z.string(),
    progress: given.progress ?? z.json(),
    examples: given.examples ?? [],
  } as TacticSpec

  abstract class Base extends LiveTactic<unknown, unknown, unknown, unknown, unknown> {
    static readonly spec: TacticSpec = spec
    static readonly [brand] = true
    static get hasName(): boolean {
      return this.spec.name !== undefined
    }

    static extend(more: Partial<TacticSpec>) {
      // biome-ignore lint/complexity/noUselessThisAlias: TypeScript accepts a mixin only of a base with a type of its own.
      const Parent: typeof Base = this
      const { name: _, ...inherited } = Parent.spec
      abstract class Extended extends Parent {
        // The parent's name is dropped: two tactics must not answer to one name.
        static override readonly spec: TacticSpec = {
          ...inherited,
          ...more,
          agents: [...new Set([...Parent.spec.agents, ...(more.agents ?? [])])],
          tactics: { ...Parent.spec.tactics, ...more.tactics },
        }
      }
      return Extended
    }
  }
  return Base as unknown as TacticBase<Agents, Tactics, In, Out, Progress> & Named<Name>
}

/** What `Tactic({ … })` gives: a class whose `call` is still to be written. */
type TacticBase<
  Agents extends readonly string[],
  Tactics,
  In extends Schema,
  Out extends Schema,
  Progress extends Schema<Json>,
> = typeof LiveTactic<
  AgentsOf<Agents>,
  SubTacticsOf<Tactics>,
  SchemaOutput<In>,
  SchemaInput<Out>,
  SchemaInput<Progress>
> &
  TacticStatics<In, Out>

interface TacticStatics<In extends Schema, Out extends Schema> {
  readonly spec: TacticSpec & { readonly input: In; readonly output: Out }
  /** A base for a variant: same input and output, its own name, and whatever agents and sub-tactics it adds. */
  extend<
    This,
    const MoreName extends string | undefined = undefined,
    const MoreAgents extends readonly string[] = readonly [],
    const MoreTactics extends Readonly<Record<string, TacticClass>> = Record<never, never>,
  >(
    this: This,
    more: {
      readonly name?: MoreName
      readonly description?: string
      readonly agents?: MoreAgents
      readonly tactics?: MoreTactics
      readonly examples?: readonly SchemaInput<In>[]
    },
  ): This &
    Named<MoreName> &
    MixIn<{ readonly agents: AgentsOf<MoreAgents>; readonly tactics: SubTacticsOf<MoreTactics> }>
}

/** What the name of a tactic makes of its class. */
type Named<Name> = Name extends string ? { readonly hasName: true } : unknown

/** The one constructor shape that TypeScript lets us intersect with a class and keep its abstract members abstract. */
// biome-ignore lint/suspicious/noExplicitAny: TypeScript accepts a mix-in constructor only with any[].
type MixIn<Instance> = abstract new (...args: any[]) => Instance
