import type { BoundTactic } from '../../engine/engine.ts'

export interface TitledTactic {
  readonly tactic: BoundTactic
  /** The name in PascalCase, unique in the service: `CodeReview`. */
  readonly title: string
}

/** Gives each tactic a name that can be part of a type's name. Two that would get the same one are numbered. */
export function titleTactics(tactics: readonly BoundTactic[]): readonly TitledTactic[] {
  const taken = new Set<string>()
  return tactics.map((tactic) => {
    const plain = toPascalCase(tactic.name)
    let title = plain
    for (let number = 2; taken.has(title); number++) title = `${plain}${number}`
    taken.add(title)
    return { tactic, title }
  })
}

function toPascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}
