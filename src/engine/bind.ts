import { createHash } from 'node:crypto'
import { type Config, resolveConfig } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import { LllmError, listKnown } from '../domain/errors.ts'
import { canonicalJson } from '../domain/json.ts'
import type { ConfigSource, Package } from '../domain/package.ts'
import { toJsonSchema } from '../domain/schema.ts'
import { type TacticClass, tacticName } from '../domain/tactic.ts'
import { configsOf, type NamedConfig } from './config-names.ts'
import type { BoundConfig, BoundTactic } from './engine.ts'
import { type BindParts, findPrompt, planAgent } from './plan-agent.ts'

/**
 * Links the tactics of a package with its configs and prompts. All mistakes that can be known before a call are found here.
 *
 * @throws LllmError that names the file, what is wrong, and what is known.
 */
export function bindPackage(source: Package, parts: BindParts): readonly BoundTactic[] {
  return new Binder(source, parts).bindAll()
}

/** Links one tactic with one config that is in no file. */
export function bindTactic(tactic: TacticClass, config: ConfigSource, source: Package, parts: BindParts): BoundTactic {
  return new Binder(source, parts).bindWith(tactic, config)
}

class Binder {
  readonly #source: Package
  readonly #parts: BindParts
  readonly #bound = new Map<TacticClass, BoundTactic>()
  readonly #configs: readonly Config[]

  constructor(source: Package, parts: BindParts) {
    this.#source = source
    this.#parts = parts
    this.#configs = [...source.configs.values()].map((config) => resolveConfig(config, source.configs))
  }

  bindAll(): readonly BoundTactic[] {
    const names = this.#source.tactics.map(({ tactic }) => tactic.spec.name ?? '')
    for (const { file, tacticType } of this.#configs) {
      if (tacticType === undefined || names.includes(tacticType)) continue
      throw new LllmError(
        'invalid-config',
        `${file}: /tactic_type: there is no tactic "${tacticType}". ${listKnown(tacticType, names)}`,
      )
    }
    return this.#source.tactics.map(({ tactic }) => this.#bindRegistered(tactic))
  }

  bindWith(tactic: TacticClass, source: ConfigSource): BoundTactic {
    const config = resolveConfig(source, new Map([...this.#source.configs, [source.name, source]]))
    const registered = this.#source.tactics.find((entry) => entry.tactic === tactic)
    return this.#bind(tactic, tactic.spec.name ?? tactic.name, registered?.file ?? source.file, [['default', config]])
  }

  #bindRegistered(tactic: TacticClass): BoundTactic {
    const known = this.#bound.get(tactic)
    if (known !== undefined) return known
    const file = this.#source.tactics.find((entry) => entry.tactic === tactic)?.file ?? ''
    const name = tactic.spec.name ?? ''
    if (!tacticName.test(name)) {
      throw new LllmError(
        'invalid-tactic',
        `${file}: the name "${name}" of the tactic does not fit ${tacticName.source}.`,
      )
    }
    const configs = configsOf(name, this.#configs)
    if (configs.length === 0 && tactic.spec.agents.length > 0) {
      const names = [...this.#source.configs.keys()]
      throw new LllmError(
        'invalid-tactic',
        `${file}: the tactic "${name}" has no config: expected configs/${name}.yaml. ${listKnown(name, names)}`,
      )
    }
    const bound = this.#bind(tactic, name, file, configs.length > 0 ? configs : [['default', emptyConfig(name, file)]])
    this.#bound.set(tactic, bound)
    return bound
  }

  #bind(tactic: TacticClass, name: string, file: string, configs: readonly NamedConfig[]): BoundTactic {
    const { spec } = tactic
    const bind = (config: Config) => {
      this.#refuseUnknown(tactic, name, config)
      return this.#bindConfig(tactic, name, config)
    }
    return {
      name,
      id: `${this.#source.name}::${name}`,
      package: { name: this.#source.name, version: this.#source.version },
      file,
      tactic,
      configs: new Map(configs.map(([shortName, config]) => [shortName, bind(config)])),
      inputSchema: toJsonSchema(spec.input, 'input'),
      outputSchema: toJsonSchema(spec.output, 'output'),
    }
  }

  #bindConfig(tactic: TacticClass, name: string, config: Config): BoundConfig {
    const { agents, tactics } = tactic.spec
    const plans = agents.map((agent) => {
      const agentConfig = config.agents.get(agent)
      if (agentConfig !== undefined) return [agent, planAgent(config, agentConfig, this.#source, this.#parts)] as const
      const known = listKnown(agent, [...config.agents.keys()])
      throw configMistake(
        config.file,
        `/agent_configs: the agent "${agent}" of the tactic "${name}" is missing. ${known}`,
      )
    })
    return {
      name: config.name,
      hash: createHash('sha256').update(canonicalJson(config.value)).digest('hex'),
      agents: new Map(plans),
      findPrompt: (path) => findPrompt(this.#source, path),
      subTactics: new Map(Object.keys(tactics).map((key) => [key, this.#bindSubTactic(key, tactic, config)])),
      limits: config.limits,
    }
  }

  /** A tactic's own config may speak of nothing that the tactic does not have; one that was handed down may. */
  #refuseUnknown(tactic: TacticClass, name: string, config: Config) {
    const { tactics } = tactic.spec
    const unknownSub = [...config.subTactics.keys()].find((sub) => !Object.hasOwn(tactics, sub))
    if (unknownSub !== undefined) {
      const known = listKnown(unknownSub, Object.keys(tactics))
      throw configMistake(config.file, `/sub_tactics: the tactic "${name}" has no sub-tactic "${unknownSub}". ${known}`)
    }
    const declared = this.#agentsConfiguredBy(config, tactic)
    const unknown = [...config.agents.keys()].find((agent) => !declared.has(agent))
    if (unknown === undefined) return
    const known = listKnown(unknown, [...declared])
    const owner = Object.entries(tactics).find(([, sub]) => sub.spec.agents.includes(unknown))
    const hint =
      owner === undefined
        ? known
        : `It is one of the sub-tactic "${owner[0]}", which has a config of its own; to use this one for it as well, say sub_tactics: { ${owner[0]}: ${config.name} }.`
    throw configMistake(config.file, `/agent_configs: the tactic "${name}" has no agent "${unknown}". ${hint}`)
  }

  /** The agents that a config is used for: those of its tactic, and of the sub-tactics that it is handed down to. */
  #agentsConfiguredBy(config: Config, tactic: TacticClass): ReadonlySet<string> {
    const below = Object.entries(tactic.spec.tactics).flatMap(([key, sub]) => {
      const choice = this.#chooseConfig(key, tactic, config)
      return choice === config ? [...this.#agentsConfiguredBy(config, sub)] : []
    })
    return new Set([...tactic.spec.agents, ...below])
  }

  #bindSubTactic(key: string, parent: TacticClass, parentConfig: Config) {
    const tactic = parent.spec.tactics[key] as TacticClass
    const chosen = this.#chooseConfig(key, parent, parentConfig)
    if (chosen === undefined) {
      const bound = this.#bindRegistered(tactic)
      const [config] = bound.configs.values()
      return { tactic: bound, config: config as BoundConfig }
    }
    const name = tactic.spec.name ?? key
    const config = this.#bindConfig(tactic, name, chosen)
    const bound = { ...this.#bind(tactic, name, parentConfig.file, []), configs: new Map([['default', config]]) }
    return { tactic: bound, config }
  }

  /**
   * Which config a sub-tactic is called with: the one that `sub_tactics` names; else its parent's, as in the lesson, where that
   * configures its agents on purpose; else its own default, which is undefined here; else its parent's again.
   */
  #chooseConfig(key: string, parent: TacticClass, config: Config): Config | undefined {
    const tactic = parent.spec.tactics[key] as TacticClass
    const own = configsOf(tactic.spec.name ?? key, this.#configs)
    const wanted = config.subTactics.get(key)
    if (wanted === undefined) {
      const isRegistered = this.#source.tactics.some((entry) => entry.tactic === tactic)
      const hasOwn = isRegistered && (own.length > 0 || tactic.spec.agents.length === 0)
      return hasOwn && !configuresOnPurpose(config, parent, tactic) ? undefined : config
    }
    const all = [config, ...this.#configs]
    const found = own.find(([short]) => short === wanted)?.[1] ?? all.find(({ name }) => name === wanted)
    if (found !== undefined) return found
    const known = listKnown(wanted, [...own.map(([short]) => short), ...this.#configs.map(({ name }) => name)])
    throw configMistake(config.file, `/sub_tactics/${key}: there is no config "${wanted}". ${known}`)
  }
}

/** Whether a config has all agents of a sub-tactic, one of which can be meant for nobody else. */
function configuresOnPurpose(config: Config, parent: TacticClass, { spec }: TacticClass): boolean {
  const hasAll = spec.agents.every((agent) => config.agents.has(agent))
  return hasAll && spec.agents.some((agent) => !parent.spec.agents.includes(agent))
}

function emptyConfig(name: string, file: string): Config {
  return resolveConfig({ name, file, value: {} }, new Map())
}
