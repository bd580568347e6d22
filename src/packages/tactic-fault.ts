import { isTacticClass, type TacticClass } from '../domain/tactic.ts'

/**
 * What is wrong with a tactic, in words, or undefined. The compiler finds all of this, but Node runs a tactic without it,
 * and the first call would be too late.
 */
export function findFault(tactic: TacticClass): string | undefined {
  const { name, agents, tactics, input, output } = tactic.spec
  if (typeof tactic.prototype.call !== 'function') return `The tactic "${name}" has no method call(task).`
  if (!Array.isArray(agents) || !agents.every((agent) => typeof agent === 'string')) {
    return `The agents of the tactic "${name}" are no list of names.`
  }
  const unfit = Object.entries<unknown>(tactics).find(([, sub]) => !isTacticClass(sub))
  if (unfit !== undefined) {
    return `The sub-tactic "${unfit[0]}" of the tactic "${name}" is no tactic but ${typeof unfit[1]}.`
  }
  const noSchema = isSchema(input) ? (isSchema(output) ? undefined : 'output') : 'input'
  if (noSchema === undefined) return undefined
  return `The ${noSchema} of the tactic "${name}" is no schema of zod, or of another library that speaks Standard Schema.`
}

function isSchema(value: unknown): boolean {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
}
