import { type Chat, type ChatSetup, openChat } from './chat.ts'
import { type ConfigValue, configSource, resolveNamed, typeOf } from './config-value.ts'
import type { Authenticator } from './domain/authenticator.ts'
import { LllmError } from './domain/errors.ts'
import type { IdempotencyStore } from './domain/idempotency-store.ts'
import type { InvokerPool } from './domain/invoker-pool.ts'
import type { Metrics } from './domain/metrics.ts'
import type { Asset, ConfigSource, Package, PackageSet } from './domain/package.ts'
import type { Redactor } from './domain/redact.ts'
import type { SessionStore } from './domain/session-store.ts'
import type { SharedRates } from './domain/shared-rates.ts'
import { isTacticClass, type TacticClass } from './domain/tactic.ts'
import type { WebhookStore } from './domain/webhook-store.ts'
import type { Engine } from './engine/engine.ts'
import type { EngineParts } from './engine/engine-parts.ts'
import { findAsset } from './engine/find-asset.ts'
import { type HandleOf, makeHandle, type TacticHandle } from './engine/handle.ts'
import type { SessionKeeper } from './engine/session-keeper.ts'
import type { House } from './load-house.ts'
import type { Runs } from './runs/runs.ts'
import type { Schedules } from './runs/schedules.ts'
import { type OpenSettings, type Settings, withoutSecrets } from './settings.ts'

/** A loaded project with everything that it takes to call its tactics from one's own code. */
export interface Runtime {
  readonly engine: Engine
  readonly store: SessionStore
  /** Work that goes on without its caller. Nobody works on it here before `runs.start()`, which a server does by itself. */
  readonly runs: Runs
  /** What starts runs by the clock, wherever runs are worked on. */
  readonly schedules: Pick<Schedules, 'list' | 'of'>
  /** What became of telling the ends of runs. */
  readonly webhooks: Pick<WebhookStore, 'ofRun' | 'redeliver' | 'of'>
  /** Says why the ends of runs may not be told at a URL; undefined: they may. */
  judgeWebhook(url: string): string | undefined
  /** What requests to its servers came to that had a key. */
  readonly idempotency: IdempotencyStore
  /** Finds out who asks its servers. */
  readonly authenticator: Authenticator
  /** What is counted of its calls, for a monitoring system. Undefined: nothing, as `LLLM_METRICS` says. */
  readonly metrics: Metrics | undefined
  /** Takes the secrets of its settings out of texts that are shown, logged or kept. */
  readonly redactor: Redactor
  /** Counts what several processes use together, where they share a store that can. */
  readonly rates?: SharedRates | undefined
  /** What it was made with, other than secrets. Immutable. */
  readonly settings: OpenSettings
  /** The package that is served. */
  readonly package: Package
  /** All packages, the served one first. */
  readonly packages: PackageSet
  readonly invokers: InvokerPool
  /** What was noticed at the start and is no mistake. */
  readonly warnings: readonly string[]
  /**
   * Makes a tactic ready to be called: by its class, by its name (`package::name` for those of other packages), or by the
   * `tactic_type` of a config. A config is given as the name of one of the package's (`code_review/pro`, or `package:name`) or as a value; left
   * out, it is the tactic's default.
   *
   * @throws LllmError that says what does not fit, and what is known.
   */
  build<T extends TacticClass>(tactic: T, config?: string | ConfigValue): HandleOf<T>
  build(tactic: string, config?: string | ConfigValue): TacticHandle
  build(config: ConfigValue): TacticHandle
  /** The value of a config with its bases merged in: one of the package's, or `package:name`. */
  resolveConfig(name: string): ConfigValue
  /** A file of a section that a package has named: `section:path`, or `package.section:path`. @throws LllmError `unknown-asset` */
  asset(url: string): Asset
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

export interface RuntimeParts extends Pick<Runtime, 'idempotency' | 'authenticator' | 'redactor'> {
  readonly settings: Settings
  readonly house: Omit<House, 'tree'>
  readonly engine: Engine
  readonly runs: Runs
  readonly schedules: Pick<Schedules, 'list' | 'of'>
  readonly webhooks: WebhookStore
  judgeWebhook(url: string): string | undefined
  readonly engineParts: EngineParts
  readonly store: SessionStore
  readonly rates?: SharedRates | undefined
  readonly keeper: SessionKeeper
  readonly metrics?: Metrics | undefined
  readonly warnings: readonly string[]
}

export function createRuntime(parts: RuntimeParts): Runtime {
  const { settings, house, engine, runs, schedules, webhooks, engineParts, store, keeper, warnings } = parts
  const { tactics, packages, binder, invokers } = house
  const { root: source } = packages

  function bindOwn(tactic: TacticClass, config: ConfigSource): TacticHandle {
    return makeHandle(engine, binder.bindWith(tactic, config))
  }

  function build(target: TacticClass | string | ConfigValue, config?: string | ConfigValue): TacticHandle {
    if (typeof target === 'object') return build(typeOf(target), target)
    if (config !== undefined) return bindOwn(classOf(target), configSource(source, config))
    const bound = typeof target === 'string' ? engine.find(target) : tactics.find(({ tactic }) => tactic === target)
    if (bound !== undefined) return makeHandle(engine, bound)
    const tactic = classOf(target)
    const name = tactic.spec.name ?? tactic.name
    const twin = tactics.find((other) => other.name === name)
    const hint =
      twin === undefined
        ? ''
        : ` The class of ${twin.file} has the same name and is another one: a program that loads modules in a way of its own, such as a test runner, has to load lllm in that way, too.`
    throw new LllmError(
      'unknown-config',
      `The tactic "${name}" is not one of the package's, so it needs a config: build(${tactic.name}, config).${hint}`,
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
    runs,
    schedules,
    webhooks,
    judgeWebhook: (url) => parts.judgeWebhook(url),
    idempotency: parts.idempotency,
    authenticator: parts.authenticator,
    metrics: parts.metrics,
    redactor: parts.redactor,
    rates: parts.rates,
    settings: withoutSecrets(settings),
    package: source,
    packages,
    invokers,
    warnings,
    build: build as Runtime['build'],
    resolveConfig: (name) => resolveNamed(source, name).value,
    asset: (url) => findAsset(source, url),
    chat: (setup) => openChat(bindOwn, setup),
    quick,
    async close() {
      // Runs that are still under way are given back: whoever works on them next goes on from their finished calls.
      await runs.drain(0)
      await keeper.close()
      // What cannot be given back counts as spent. It is written to the store, so the store is still open.
      await engineParts.budgets?.close().catch(() => undefined)
      await Promise.allSettled([
        store.close(),
        house.close(),
        engineParts.remotes?.close(),
        engineParts.tracing?.close(),
      ])
    },
  }
}
