import { listKnown } from './errors.ts'
import type { Package } from './package.ts'
import { parseResourceUrl } from './resource-url.ts'

/** Where a kind of resource is: its section, and how a package has it. */
export interface ResourceKind<Value> {
  readonly section: string
  /** What one of them is called in a message. */
  readonly noun: string
  inPackage(source: Package): ReadonlyMap<string, Value>
}

export type FoundResource<Value> =
  | { readonly ok: true; readonly home: Package; readonly path: string; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly known: readonly string[] }

/**
 * Finds what an address means that stands in a package. A bare path means the package's own resource first, then that of
 * the one dependency which has it.
 */
export function findResource<Value>(home: Package, text: string, kind: ResourceKind<Value>): FoundResource<Value> {
  const { package: name, section, path } = parseResourceUrl(text)
  if (section !== undefined && section !== kind.section) {
    return refuse(`"${text}" is in the section "${section}"; a ${kind.noun} is in "${kind.section}".`)
  }
  if (name === undefined) return findBare(home, text, kind)
  const target = home.reachable.get(name)
  // A bare path may have a colon in it.
  if (target === undefined && kind.inPackage(home).has(text)) return findBare(home, text, kind)
  if (target === undefined) {
    const known = [...home.reachable.keys()]
    return refuse(`"${text}": there is no package "${name}" here. ${listKnown(name, known)}`, known)
  }
  const value = kind.inPackage(target).get(path)
  if (value !== undefined) return { ok: true, home: target, path, value }
  const known = [...kind.inPackage(target).keys()]
  return refuse(`There is no ${kind.noun} "${path}" in the package "${target.name}". ${listKnown(path, known)}`, known)
}

function findBare<Value>(home: Package, path: string, kind: ResourceKind<Value>): FoundResource<Value> {
  const own = kind.inPackage(home).get(path)
  if (own !== undefined) return { ok: true, home, path, value: own }
  const having = home.dependencies.filter((dependency) => kind.inPackage(dependency).has(path))
  const [first, second] = having
  if (first !== undefined && second !== undefined) {
    const choices = having.map(({ name }) => `"${name}:${path}"`).join(' or ')
    return refuse(`The ${kind.noun} "${path}" is in more than one package: say ${choices}.`)
  }
  const value = first && kind.inPackage(first).get(path)
  if (first !== undefined && value !== undefined) return { ok: true, home: first, path, value }
  const known = [
    ...kind.inPackage(home).keys(),
    ...home.dependencies.flatMap((other) => [...kind.inPackage(other).keys()].map((name) => `${other.name}:${name}`)),
  ]
  return refuse(`There is no ${kind.noun} "${path}". ${listKnown(path, known)}`, known)
}

function refuse(message: string, known: readonly string[] = []): FoundResource<never> {
  return { ok: false, message, known }
}
