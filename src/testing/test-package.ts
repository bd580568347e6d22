import { type ConfigSource, makePackage, type Package } from '../domain/package.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import type { TacticClass } from '../domain/tactic.ts'

export type ConfigValue = Readonly<Record<string, unknown>>

/** A package that is in no folder. */
export interface TestPackageSpec {
  readonly tactics: readonly TacticClass[]
  /**
   * By the name of a tactic, or `name/profile`, in the shape of the YAML files. Left out, each tactic gets a config with all
   * of its agents, of the model `test-model`, and the system prompt "You are the <agent>."
   */
  readonly configs?: Readonly<Record<string, ConfigValue>>
  /** By their paths, as configs and tactics name them. */
  readonly prompts?: Readonly<Record<string, AnyPrompt>>
  /** Of the configs that are left out: keys that all agents have in common, such as `max_exception_retry`. */
  readonly global?: ConfigValue
  /** Of the configs that are left out: their `limits`. */
  readonly limits?: ConfigValue
}

export function describePackage(spec: TestPackageSpec, name = 'test'): Package {
  const configs = Object.entries(spec.configs ?? generateConfigs(spec)).map(([path, value]): [string, ConfigSource] => [
    path,
    { name: path, file: `configs/${path}.yaml`, value },
  ])
  return makePackage({
    name,
    version: '1.0.0',
    tactics: spec.tactics.map((tactic) => ({ tactic, file: `tactics/${nameOf(tactic)}.ts` })),
    configs: new Map(configs),
    prompts: new Map(Object.entries(spec.prompts ?? {})),
  })
}

/** The name that a registered tactic has. */
export function nameOf({ spec }: TacticClass): string {
  return spec.name ?? ''
}

function generateConfigs({ tactics, prompts = {}, global, limits }: TestPackageSpec): Record<string, ConfigValue> {
  const entries = tactics.map((tactic): [string, ConfigValue] => [
    nameOf(tactic),
    {
      global: { model_name: 'test-model', ...global },
      ...(limits === undefined ? {} : { limits }),
      agent_configs: agentsBelow(tactic).map((name) =>
        Object.hasOwn(prompts, `system/${name}`)
          ? { name, system_prompt_path: `system/${name}` }
          : { name, system_prompt: `You are the ${name}.` },
      ),
    },
  ])
  return Object.fromEntries(entries)
}

/** The agents of a tactic and of the sub-tactics that are not registered, and so have no config of their own. */
function agentsBelow(tactic: TacticClass): readonly string[] {
  const below = Object.values(tactic.spec.tactics).flatMap(agentsBelow)
  return [...new Set([...tactic.spec.agents, ...below])]
}
