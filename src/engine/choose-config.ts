import type { Config } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'
import { listKnown } from '../domain/errors.ts'
import { findResource } from '../domain/find-resource.ts'
import { configKind } from '../domain/resource-kinds.ts'
import type { TacticClass } from '../domain/tactic.ts'
import type { ConfigShelf } from './config-names.ts'
import type { TacticRegistry } from './tactic-registry.ts'

/**
 * Which config a sub-tactic is called with: the one that `sub_tactics` names; else its parent's, as in the lesson, where that
 * configures its agents on purpose; else its own default, which is undefined here; else its parent's again.
 */
export function chooseConfig(
  key: string,
  parent: TacticClass,
  config: Config,
  registry: TacticRegistry,
  shelf: ConfigShelf,
): Config | undefined {
  const tactic = parent.spec.tactics[key] as TacticClass
  const registered = registry.of(tactic)
  const own = registered === undefined ? [] : shelf.of(registered)
  const wanted = config.subTactics.get(key)
  if (wanted === undefined) {
    const hasOwn = registered !== undefined && (own.length > 0 || tactic.spec.agents.length === 0)
    return hasOwn && !configuresOnPurpose(config, parent, tactic) ? undefined : config
  }
  if (tactic.spec.remote !== undefined) {
    const hint = `Give it there: remoteTactic(…, { config: '${wanted}' }).`
    throw configMistake(
      config.file,
      `/sub_tactics/${key}: it is a remote tactic, which has its configs elsewhere. ${hint}`,
    )
  }
  const short = own.find(([name]) => name === wanted)?.[1]
  if (short !== undefined) return short
  if (wanted === config.name) return config
  const found = findResource(config.home, wanted, configKind)
  const meant = found.ok ? shelf.all.find(({ home, name }) => home === found.home && name === found.path) : undefined
  if (meant !== undefined) return meant
  const known = listKnown(wanted, [...own.map(([name]) => name), ...config.home.configs.keys()])
  throw configMistake(config.file, `/sub_tactics/${key}: there is no config "${wanted}". ${known}`)
}

/** Whether a config has all agents of a sub-tactic, one of which can be meant for nobody else. */
function configuresOnPurpose(config: Config, parent: TacticClass, { spec }: TacticClass): boolean {
  const hasAll = spec.agents.every((agent) => config.agents.has(agent))
  return hasAll && spec.agents.some((agent) => !parent.spec.agents.includes(agent))
}
