import { type Caller, mayCall } from '../domain/caller.ts'
import type { BoundTactic } from '../engine/engine.ts'

/**
 * A tactic as `GET /tactics` shows it. Agents are those of its default config. By what models and prompts it works is told to those who may
 * call it.
 */
export function toTacticRecord(tactic: BoundTactic, caller: Caller) {
  const { spec } = tactic.tactic
  const [defaultConfig] = tactic.configs.values()
  const agents = mayCall(caller, tactic) ? [...(defaultConfig?.agents.values() ?? [])] : []
  return {
    name: tactic.name,
    id: tactic.id,
    address: tactic.address,
    ...describeShadow(tactic),
    package: tactic.package.name,
    version: tactic.package.version,
    description: spec.description ?? null,
    agents: agents.map(({ name, model, systemPrompt }) => ({
      name,
      model,
      prompt: systemPrompt.path ?? null,
    })),
    sub_tactics: [...(defaultConfig?.subTactics.values() ?? [])].map((sub) => sub.tactic.address),
    configs: [...tactic.configs.keys()],
    input_schema: tactic.inputSchema,
    output_schema: tactic.outputSchema,
  }
}

/** Why a tactic is not found by its bare name. */
function describeShadow({ name, id, shadowedBy }: BoundTactic) {
  if (shadowedBy === undefined) return { shadowed_by: null, note: null }
  const note =
    `The name "${name}" finds ${shadowedBy}, because its package comes first: the served package, then its dependencies ` +
    `in their order, drop-ins of the project, and those of the user. This tactic is found as "${id}".`
  return { shadowed_by: shadowedBy, note }
}
