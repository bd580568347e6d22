import { createHash } from 'node:crypto'
import { type Config, resolveConfig } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import { canonicalJson, type JsonSchema } from '../domain/json.ts'
import type { ConfigSource, Package, PackageSet } from '../domain/package.ts'
import { toJsonSchema } from '../domain/schema.ts'
import type { TacticClass, TacticSpec } from '../domain/tactic.ts'
import { type Attempt, createAttempt } from './attempt.ts'
import { chooseConfig } from './choose-config.ts'
import { type ConfigShelf, type NamedConfig, shelveConfigs } from './config-names.ts'
import type { BoundConfig, BoundTactic } from './engine.ts'
import { findAsset } from './find-asset.ts'
import { refuseSharedInvokers } from './invoker-names.ts'
import { type BindParts, findPrompt, planAgent } from './plan-agent.ts'
import { type RegisteredTactic, registerTactics, type TacticRegistry } from './tactic-registry.ts'

/** Links tactics with configs and prompts. All mistakes that can be known before a call are found here. */
export interface Binder {
  /** The tactics of all packages. @throws LllmError that names the file, what is wrong, and what is known. */
  bindAll(): readonly BoundTactic[]
  /** One tactic with one config that is in no file. @throws as `bindAll` */
  bindWith(tactic: TacticClass, config: ConfigSource): BoundTactic
}

/** @throws LllmError for a config that cannot be resolved, and for names that are there twice. */
export function createBinder(packages: PackageSet, parts: BindParts): Binder {
  return new PackageBinder(packages, parts)
}

/** Where a tactic is from, registered or not. */
type Origin = Pick<RegisteredTactic, 'name' | 'id' | 'file' | 'home' | 'address' | 'shadowedBy'>

class PackageBinder implements Binder {
  readonly #packages: PackageSet
  readonly #parts: BindParts
  readonly #registry: TacticRegistry
  readonly #shelf: ConfigShelf
  readonly #attempt: Attempt
  readonly #bound = new Map<TacticClass, BoundTactic>()

  constructor(packages: PackageSet, parts: BindParts) {
    this.#packages = packages
    this.#parts = parts
    this.#registry = registerTactics(packages)
    this.#attempt = createAttempt(parts.onMistake)
    this.#shelf = shelveConfigs(packages, this.#registry, this.#attempt)
    this.#attempt(() => refuseSharedInvokers(this.#shelf.all))
  }

  bindAll(): readonly BoundTactic[] {
    return this.#registry.all.flatMap((registered) => this.#attempt(() => this.#bindRegistered(registered)) ?? [])
  }

  bindWith(tactic: TacticClass, source: ConfigSource): BoundTactic {
    const { root } = this.#packages
    const config = resolveConfig(source, { ...root, configs: new Map([...root.configs, [source.name, source]]) })
    const origin = this.#registry.of(tactic) ?? unregistered(tactic, tactic.name, root, source.file)
    return this.#bind(tactic, origin, [['default', { ...config, home: root }]])
  }

  #bindRegistered(registered: RegisteredTactic): BoundTactic {
    const { tactic, name, file, home } = registered
    const known = this.#bound.get(tactic)
    if (known !== undefined) return known
    const configs = this.#shelf.of(registered)
    if (configs.length === 0 && tactic.spec.agents.length > 0) {
      const names = [...home.configs.keys()]
      throw new LllmError(
        'invalid-tactic',
        `${file}: the tactic "${name}" has no config: expected configs/${name}.yaml. ${listKnown(name, names)}`,
        { file },
      )
    }
    const named: readonly NamedConfig[] =
      configs.length > 0 ? configs : [['default', resolveConfig({ name, file, value: {} }, home)]]
    const bound = this.#bind(tactic, registered, named)
    this.#bound.set(tactic, bound)
    return bound
  }

  #bind(tactic: TacticClass, origin: Origin, configs: readonly NamedConfig[]): BoundTactic {
    const { spec } = tactic
    const { name, id, file, home, address, shadowedBy } = origin
    const bind = ([shortName, config]: NamedConfig) => {
      this.#refuseUnknown(tactic, name, config)
      return [shortName, this.#bindConfig(tactic, origin, config)] as const
    }
    return {
      name,
      id,
      address,
      ...(shadowedBy === undefined ? {} : { shadowedBy }),
      package: { name: home.name, version: home.version },
      file,
      tactic,
      configs: new Map(configs.flatMap((named) => this.#attempt(() => [bind(named)]) ?? [])),
      inputSchema: describeSchema(spec, 'input', origin),
      outputSchema: describeSchema(spec, 'output', origin),
    }
  }

  #bindConfig(tactic: TacticClass, { name, home }: Origin, config: Config): BoundConfig {
    const { agents, tactics } = tactic.spec
    const plan = (agent: string) => {
      const agentConfig = config.agents.get(agent)
      if (agentConfig !== undefined) return [agent, planAgent(config, agentConfig, this.#parts)] as const
      const known = listKnown(agent, [...config.agents.keys()])
      throw configMistake(
        config.file,
        `/agent_configs: the agent "${agent}" of the tactic "${name}" is missing. ${known}`,
      )
    }
    const subTactics = new Map(
      Object.keys(tactics).flatMap((key) => {
        return this.#attempt(() => [[key, this.#bindSubTactic(key, tactic, config)] as const]) ?? []
      }),
    )
    return {
      name: config.home === home ? config.name : `${config.home.name}:${config.name}`,
      hash: createHash('sha256').update(canonicalJson(config.value)).digest('hex'),
      agents: new Map(agents.flatMap((agent) => this.#attempt(() => [plan(agent)]) ?? [])),
      findPrompt: (path) => findPrompt(home, path),
      findAsset: (url) => findAsset(home, url),
      subTactics,
      limits: config.limits,
      storeContent: config.storeContent,
    }
  }

  /** A tactic's own config may speak of nothing that the tactic does not have; one that was handed down may. */
  #refuseUnknown(tactic: TacticClass, name: string, config: Config) {
    const { tactics } = tactic.spec
    for (const sub of config.subTactics.keys()) {
      if (Object.hasOwn(tactics, sub)) continue
      const known = listKnown(sub, Object.keys(tactics))
      this.#refuse(config, `/sub_tactics: the tactic "${name}" has no sub-tactic "${sub}". ${known}`)
    }
    const declared = this.#agentsConfiguredBy(config, tactic)
    for (const agent of config.agents.keys()) {
      if (declared.has(agent)) continue
      const owner = Object.entries(tactics).find(([, sub]) => sub.spec.agents.includes(agent))
      const hint =
        owner === undefined
          ? listKnown(agent, [...declared])
          : `It is one of the sub-tactic "${owner[0]}", which has a config of its own; to use this one for it as well, say sub_tactics: { ${owner[0]}: ${config.name} }.`
      this.#refuse(config, `/agent_configs: the tactic "${name}" has no agent "${agent}". ${hint}`)
    }
  }

  #refuse({ file }: Config, message: string) {
    this.#attempt(() => {
      throw configMistake(file, message)
    })
  }

  /** The agents that a config is used for: those of its tactic, and of the sub-tactics that it is handed down to. */
  #agentsConfiguredBy(config: Config, tactic: TacticClass): ReadonlySet<string> {
    const below = Object.entries(tactic.spec.tactics).flatMap(([key, sub]) => {
      const choice = chooseConfig(key, tactic, config, this.#registry, this.#shelf)
      return choice === config ? [...this.#agentsConfiguredBy(config, sub)] : []
    })
    return new Set([...tactic.spec.agents, ...below])
  }

  #bindSubTactic(key: string, parent: TacticClass, parentConfig: Config) {
    const tactic = parent.spec.tactics[key] as TacticClass
    const registered = this.#registry.of(tactic)
    const chosen = chooseConfig(key, parent, parentConfig, this.#registry, this.#shelf)
    if (chosen === undefined && registered !== undefined) {
      const bound = this.#bindRegistered(registered)
      const [config] = bound.configs.values()
      return { tactic: bound, config: config as BoundConfig }
    }
    const origin = registered ?? unregistered(tactic, key, parentConfig.home, parentConfig.file)
    const config = this.#bindConfig(tactic, origin, chosen ?? parentConfig)
    const bound = { ...this.#bind(tactic, origin, []), configs: new Map([['default', config]]) }
    return { tactic: bound, config }
  }
}

/** @throws LllmError `invalid-tactic` for a schema whose library cannot describe it. */
function describeSchema(spec: TacticSpec, side: 'input' | 'output', { name, file }: Origin): JsonSchema {
  try {
    return toJsonSchema(spec[side], side)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `${file}: the ${side} schema of the tactic "${name}" cannot be described as JSON Schema: ${reason}`
    throw new LllmError('invalid-tactic', message, { file }, { cause })
  }
}

/** A tactic that is in no package's folder: one's own class, or one beside another in its file that is not exported. */
function unregistered({ spec }: TacticClass, fallbackName: string, home: Package, file: string): Origin {
  const name = spec.name ?? fallbackName
  return { name, id: `${home.name}::${name}`, file, home, address: name }
}
