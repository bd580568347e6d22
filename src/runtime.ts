import { type Chat, type ChatSetup, openChat } from './chat.ts'
import { type Config, resolveConfig } from './domain/config.ts'
import { LllmError, listKnown } from './domain/errors.ts'
import type { InvokerPool } from './domain/invoker-pool.ts'
import type { ConfigSource, Package } from './domain/package.ts'
import type { SessionStore } from './domain/session-store.ts'
import { isTacticClass, type TacticClass } from './domain/tactic.ts'
import { bindTactic } from './engine/bind.ts'
import { createEngine } from './engine/create-engine.ts'
import type { BoundTactic, Engine } from './engine/engine.ts'
import type { EngineParts } from './engine/engine-parts.ts'
import { type HandleOf, makeHandle, type TacticHandle } from './engine/handle.ts'
import type { SessionKeeper } from './engine/session-keeper.ts'

/** A config as a plain value, in the shape of the YAML files. */
export type ConfigValue = Readonly<Record<string, unknown>>

/** A loaded package with everything that it takes to call its tactics from one's own code. */
export interface Runtime {
  readonly engine: Engine
  readonly store: SessionStore
  readonly package: Package
  readonly invokers: InvokerPool
  /** What was noticed at the start and is no mistake. */
  readonly warnings: readonly string[]
  /**
   * Makes a tactic ready to be called: by its class, by its name, or by the `tactic_type` of a config. A config is given as
   * the name of one of the package's (`code_review/pro`) or as a value; left out, it is the tactic's default.
   *
   * @throws LllmError that says what does not fit, and what is known.
   */
  build<T extends TacticClass>(tactic: T, config?: string | ConfigValue): HandleOf<T>
  build(tactic: string, config?: string | ConfigValue): TacticHandle
  build(config: ConfigValue): TacticHandle
  /** The value of one of the package's configs with its bases merged in. */
  resolveConfig(name: string): ConfigValue
  /** Opens a conversation with a single agent. */
  chat(setup: ChatSetup): Chat
  /** Asks a single agent one thing. */
  quick(text: string, setup: ChatSetup): Promise<string>
  /**
   * Lets go of sockets, files and threads, once the sessions of all calls that have ended are stored. Calling it twice is
   * fine. Await your calls and close your chats first: what is still under way fails, and its session is lost.
   */
  close(): Promise<void>
}

export interface RuntimeParts {
  readonly tactics: readonly BoundTactic[]
  readonly source: Package
  readonly engineParts: EngineParts
  readonly invokers: InvokerPool
  readonly store: SessionStore
  readonly keeper: SessionKeeper
  readonly warnings: readonly string[]
}

export function createRuntime(parts: RuntimeParts): Runtime {
  const { tactics, source, engineParts, invokers, store, keeper, warnings } = parts
  const { toolSource } = engineParts
  const engine = createEngine(tactics, engineParts, keeper)

  function bindOwn(tactic: TacticClass, config: ConfigSource): TacticHandle {
    return makeHandle(engine, bindTactic(tactic, config, source, { invokers, toolSource }))
  }

  function build(target: TacticClass | string | ConfigValue, config?: string | ConfigValue): TacticHandle {
    if (typeof target === 'object') return build(typeOf(target), target)
    if (config !== undefined) return bindOwn(classOf(target), configSource(source, config))
    const bound = tactics.find(({ name, tactic }) => name === target || tactic === target)
    if (bound !== undefined) return makeHandle(engine, bound)
    const tactic = classOf(target)
    const name = tactic.spec.name ?? tactic.name
    throw new LllmError(
      'unknown-config',
      `The tactic "${name}" is not one of the package's, so it needs a config: build(${tactic.name}, config).`,
    )
  }

  function classOf(target: TacticClass | string): TacticClass {
    if (isTacticClass(target)) return target
    return engine.find(target as string).tactic
  }

  async function quick(text: string, setup: ChatSetup): Promise<string> {
    const chat = openChat(bindOwn, setup)
    try {
      return (await chat.send(text)).content
    } finally {
      await chat.close()
    }
  }

  return {
    engine,
    store,
    package: source,
    invokers,
    warnings,
    build: build as Runtime['build'],
    resolveConfig: (name) => resolveNamed(source, name).value,
    chat: (setup) => openChat(bindOwn, setup),
    quick,
    async close() {
      await keeper.close()
      // What cannot be given back counts as spent. It is written to the store, so the store is still open.
      await engineParts.budgets?.close().catch(() => undefined)
      await Promise.allSettled([store.close(), invokers.close(), toolSource.close()])
    },
  }
}

function typeOf(config: ConfigValue): string {
  const type = config['tactic_type']
  if (typeof type === 'string') return type
  throw new LllmError(
    'invalid-config',
    'The config has no tactic_type, so the tactic must be given: build(tactic, config).',
  )
}

function configSource(source: Package, config: string | ConfigValue): ConfigSource {
  return typeof config === 'string'
    ? findConfig(source, config)
    : { name: 'inline', file: 'the given config', value: config }
}

function findConfig({ configs }: Package, name: string): ConfigSource {
  const found = configs.get(name)
  if (found !== undefined) return found
  const known = [...configs.keys()]
  throw new LllmError('unknown-config', `There is no config "${name}". ${listKnown(name, known)}`, { known })
}

function resolveNamed(source: Package, name: string): Config {
  return resolveConfig(findConfig(source, name), source.configs)
}
