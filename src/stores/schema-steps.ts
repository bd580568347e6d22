/** The steps that lead from an empty database to the tables of this version, by name and in order. */
export interface SchemaSteps {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
}

/** Why a database is not one of this program and version. Each dialect says it in the same words. */
export const schemaRefusals = {
  foreign: (others: string) => `It is a database of another program. Choose another ${others}.`,
  newer: 'A newer version of this program has changed it. Run that version or a later one.',
  behind: ({ pending }: SchemaSteps) =>
    `Its tables are ${pending.length} ${pending.length === 1 ? 'step' : 'steps'} behind this version. Run \`lllm db migrate\`, or set LLLM_MIGRATE to boot.`,
} as const

/** Sorts the steps that there are by what a database says. Undefined when it says one that this version does not know. */
export function sortSteps(known: readonly string[], applied: readonly string[]): SchemaSteps | undefined {
  if (applied.some((name) => !known.includes(name))) return undefined
  return {
    applied: known.filter((name) => applied.includes(name)),
    pending: known.filter((name) => !applied.includes(name)),
  }
}
