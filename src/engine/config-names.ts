import type { Config } from '../domain/config.ts'
import { LllmError } from '../domain/errors.ts'

/** A config and the short name by which a caller chooses it. */
export type NamedConfig = readonly [shortName: string, config: Config]

/**
 * The configs of a tactic, the default first. `x` and `x/default` are the default of the tactic `x`, `x/pro` is its `pro`;
 * a config that says `tactic_type: x` belongs to it under whatever name it has.
 *
 * @throws LllmError `invalid-config` when two have one short name.
 */
export function configsOf(tactic: string, configs: readonly Config[]): readonly NamedConfig[] {
  const named = configs
    .filter((config) => tacticOf(config) === tactic)
    .map((config): NamedConfig => [shortNameOf(config.name, tactic), config])
  const twice = named.find(([name], index) => named.findIndex(([other]) => other === name) !== index)
  if (twice !== undefined) {
    const [name, { file }] = twice
    throw new LllmError('invalid-config', `${file}: the tactic "${tactic}" has two configs named "${name}".`, { file })
  }
  return named.toSorted(([left], [right]) => Number(right === 'default') - Number(left === 'default'))
}

function tacticOf({ name, tacticType }: Config): string {
  return tacticType ?? name.split('/', 1)[0] ?? name
}

function shortNameOf(name: string, tactic: string): string {
  if (name === tactic) return 'default'
  return name.startsWith(`${tactic}/`) ? name.slice(tactic.length + 1) : name
}
