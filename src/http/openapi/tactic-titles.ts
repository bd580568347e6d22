import type { BoundTactic } from '../../engine/engine.ts'

export interface TitledTactic {
  readonly tactic: BoundTactic
  /** The address in PascalCase, unique in the service: `CodeReview`, `FinanceForecast`. */
  readonly title: string
}

/**
 * Gives each tactic a name that can be part of a type's name. Two that would get the same one are numbered: those that are
 * reached by their bare names keep theirs.
 */
export function titleTactics(tactics: readonly BoundTactic[]): readonly TitledTactic[] {
  const titles = new Map<BoundTactic, string>()
  const taken = new Set<string>()
  const [bare, others] = [tactics.filter(isBare), tactics.filter((tactic) => !isBare(tactic))]
  for (const tactic of [...bare, ...others]) {
    const plain = toPascalCase(tactic.address)
    let title = plain
    for (let number = 2; isTaken(title, taken); number++) title = `${plain}${number}`
    taken.add(title)
    titles.set(tactic, title)
  }
  return [...titles].map(([tactic, title]) => ({ tactic, title }))
}

/** `streamBatchShout` is the stream of `batch_shout`, and would be that of the batch of `shout` as well. */
function isTaken(title: string, taken: ReadonlySet<string>): boolean {
  return taken.has(title) || taken.has(`Batch${title}`) || (title.startsWith('Batch') && taken.has(title.slice(5)))
}

function isBare({ address, name }: BoundTactic): boolean {
  return address === name
}

function toPascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}
