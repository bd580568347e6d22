import { LllmError, listKnown } from '../domain/errors.ts'
import type { BoundTactic } from './engine.ts'

/** @throws LllmError `unknown-tactic`, which lists what is known. */
export type FindTactic = (name: string) => BoundTactic

/**
 * Finds tactics by whatever names them: `name`, `package::name` or `alias::name`.
 *
 * @param aliases What the served package calls others: the names of packages by their aliases.
 */
export function createFindTactic(tactics: readonly BoundTactic[], aliases: ReadonlyMap<string, string>): FindTactic {
  const byName = new Map([...tactics.map((tactic) => [tactic.id, tactic] as const), ...tactics.map(byAddress)])
  return (name) => {
    const tactic = byName.get(name) ?? byName.get(withoutAlias(name, aliases))
    if (tactic !== undefined) return tactic
    const known = tactics.map(({ address }) => address).sort()
    throw new LllmError('unknown-tactic', `There is no tactic "${name}". ${listKnown(name, known)}`, { known })
  }
}

/** In order of their addresses. */
export function inOrderOfAddress(tactics: readonly BoundTactic[]): readonly BoundTactic[] {
  return tactics.toSorted((left, right) => (left.address < right.address ? -1 : 1))
}

function byAddress(tactic: BoundTactic): readonly [string, BoundTactic] {
  return [tactic.address, tactic]
}

/** `alias::name` with the name of the package that the alias is for. */
function withoutAlias(name: string, aliases: ReadonlyMap<string, string>): string {
  const end = name.indexOf('::')
  const owner = end === -1 ? undefined : aliases.get(name.slice(0, end))
  return owner === undefined ? name : owner + name.slice(end)
}
