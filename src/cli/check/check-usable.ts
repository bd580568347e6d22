import type { Config } from '../../domain/config.ts'
import { findResource } from '../../domain/find-resource.ts'
import type { ConfigSource, PackageSet } from '../../domain/package.ts'
import { configKind } from '../../domain/resource-kinds.ts'
import type { RegisteredTactic, TacticRegistry } from '../../engine/tactic-registry.ts'
import type { SoundConfig } from './check-configs.ts'

/**
 * The files of configs that tactics can be linked with. One that names what could not be read is in the right, and there is
 * no more to say of it.
 */
export function findUsable(
  sound: readonly SoundConfig[],
  registry: TacticRegistry,
  lacksTactics: boolean,
): ReadonlySet<string> {
  const soundFiles = new Set(sound.map(({ config }) => config.file))
  const namesUnread = ({ home, tacticType, subTactics }: Config) => {
    if (lacksTactics && tacticType !== undefined && typeof registry.find(home, tacticType) === 'string') return true
    return [...subTactics.values()].some((name) => {
      const found = findResource(home, name, configKind)
      return found.ok && !soundFiles.has(found.value.file)
    })
  }
  const unusable = new Set(sound.filter(({ config }) => namesUnread(config)).map(({ config }) => config.file))
  const usable = sound.filter(({ chain }) => !chain.some(({ file }) => unusable.has(file)))
  return new Set(usable.map(({ config }) => config.file))
}

/** The files of tactics with a config that is there but cannot be used. */
export function findExcused(
  { root, all }: PackageSet,
  registry: TacticRegistry,
  usable: ReadonlySet<string>,
): ReadonlySet<string> {
  const unusable = all.flatMap((home) =>
    [...home.configs.values()].flatMap((source) => (usable.has(source.file) ? [] : [{ home, source }])),
  )
  const excused = registry.all.filter((tactic) =>
    unusable.some(({ home, source }) => (home === tactic.home || home === root) && mayConfigure(source, tactic)),
  )
  return new Set(excused.map(({ file }) => file))
}

function mayConfigure({ name, value }: ConfigSource, tactic: RegisteredTactic): boolean {
  return name.split('/', 1)[0] === tactic.name || [tactic.name, tactic.id].includes(String(value['tactic_type']))
}
