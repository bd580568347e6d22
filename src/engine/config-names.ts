import type { Config } from '../domain/config.ts'
import { resolveConfig } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import type { Package, PackageSet } from '../domain/package.ts'
import type { Attempt } from './attempt.ts'
import type { RegisteredTactic, TacticRegistry } from './tactic-registry.ts'

/** A config and the short name by which a caller chooses it. */
export type NamedConfig = readonly [shortName: string, config: Config]

/** The configs of all packages, and which tactic each is for. */
export interface ConfigShelf {
  readonly all: readonly Config[]
  /** The configs of a tactic, the default first. */
  of(tactic: RegisteredTactic): readonly NamedConfig[]
}

/**
 * Resolves all configs and finds out whose they are: `x` and `x/default` are the default of the tactic `x`, `x/pro` is its
 * `pro`; a config that says `tactic_type: x` belongs to it under whatever name it has. The served package may have configs for
 * the tactics of others, which go before theirs; those of other packages for such are for nobody.
 *
 * @throws LllmError `invalid-config` when a config is for no tactic that there is, or two have one short name.
 */
export function shelveConfigs(
  { root, all: packages }: PackageSet,
  registry: TacticRegistry,
  attempt: Attempt,
): ConfigShelf {
  const byTactic = new Map<RegisteredTactic, NamedConfig[]>()
  const taken = new Set<string>()
  const all = packages.flatMap((home) =>
    [...home.configs.values()].flatMap((source) => attempt(() => resolveConfig(source, home)) ?? []),
  )
  for (const config of all) {
    const tactic = attempt(() => tacticOf(config, registry, root))
    if (tactic === undefined) continue
    const named = nameIn(tactic, config)
    const key = JSON.stringify([tactic.id, config.home.name, named[0]])
    if (taken.has(key)) {
      attempt(() => {
        throw configMistake(config.file, `the tactic "${tactic.name}" has two configs named "${named[0]}".`)
      })
    }
    taken.add(key)
    const known = byTactic.get(tactic)
    if (known === undefined) byTactic.set(tactic, [named])
    else known.push(named)
  }
  return { all, of: (tactic) => inOrder(byTactic.get(tactic) ?? [], root) }
}

function tacticOf(config: Config, registry: TacticRegistry, root: Package): RegisteredTactic | undefined {
  const { name, file, home, tacticType } = config
  if (tacticType === undefined) {
    return registry.named(home, name.split('/', 1)[0] ?? '')
  }
  const found = registry.find(home, tacticType)
  if (typeof found === 'string') throw configMistake(file, `/tactic_type: ${found}`)
  // A package that has configs for the tactics of others changes nothing for whom it is merely a dependency.
  return found.home === home || home === root ? found : undefined
}

function nameIn(tactic: RegisteredTactic, config: Config): NamedConfig {
  const { name } = config
  if (name === tactic.name) return ['default', config]
  return [name.startsWith(`${tactic.name}/`) ? name.slice(tactic.name.length + 1) : name, config]
}

/** The default first, and of two with one name that of the root. */
function inOrder(configs: readonly NamedConfig[], root: Package): readonly NamedConfig[] {
  const byName = new Map<string, Config>()
  for (const [name, config] of configs) if (config.home === root || !byName.has(name)) byName.set(name, config)
  return [...byName].toSorted(([left], [right]) => Number(right === 'default') - Number(left === 'default'))
}
