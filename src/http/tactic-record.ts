import type { BoundTactic } from '../engine/engine.ts'

/** A tactic as `GET /tactics` shows it. Agents are those of its default config. */
export function toTacticRecord(tactic: BoundTactic) {
  const { spec } = tactic.tactic
  const [defaultConfig] = tactic.configs.values()
  return {
    name: tactic.name,
    id: tactic.id,
    package: tactic.package.name,
    version: tactic.package.version,
    description: spec.description ?? null,
    agents: [...(defaultConfig?.agents.values() ?? [])].map(({ name, model, systemPrompt }) => ({
      name,
      model,
      prompt: systemPrompt.path ?? null,
    })),
    sub_tactics: [...(defaultConfig?.subTactics.values() ?? [])].map((sub) => sub.tactic.name),
    configs: [...tactic.configs.keys()],
    input_schema: tactic.inputSchema,
    output_schema: tactic.outputSchema,
  }
}
