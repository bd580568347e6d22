import { LllmError } from '../domain/errors.ts'
import { findResource, type ResourceKind } from '../domain/find-resource.ts'
import type { Package, PackageSet, TacticSource } from '../domain/package.ts'
import { type TacticClass, tacticName } from '../domain/tactic.ts'

/** A tactic and where it is from. */
export interface RegisteredTactic {
  readonly tactic: TacticClass
  readonly name: string
  /** `package::name` */
  readonly id: string
  readonly file: string
  readonly home: Package
  /** The shortest name that finds it. */
  readonly address: string
  /** The id of the tactic that its bare name finds instead. */
  readonly shadowedBy?: string
}

/** All tactics of all packages. */
export interface TacticRegistry {
  /** In the order of the packages. */
  readonly all: readonly RegisteredTactic[]
  of(tactic: TacticClass): RegisteredTactic | undefined
  /** The tactic of a package that has this name. */
  named(home: Package, name: string): RegisteredTactic | undefined
  /** The tactic that a text means which stands in a package, or what is wrong with it in words. */
  find(home: Package, text: string): RegisteredTactic | string
}

/**
 * A class belongs to the package that declares it: another one that passes it on does not make it a second tactic.
 *
 * @throws LllmError `invalid-tactic` for a name that does not fit, and for two tactics of one name in one package.
 */
export function registerTactics({ all: packages }: PackageSet): TacticRegistry {
  const byClass = new Map<TacticClass, RegisteredTactic>()
  const byId = new Map<string, RegisteredTactic>()
  const byName = new Map<string, RegisteredTactic>()
  const owners = findOwners(packages)
  for (const home of packages) {
    for (const { tactic, file } of home.tactics) {
      if (owners.get(tactic) !== home) continue
      const name = nameOf(tactic, file)
      const id = `${home.name}::${name}`
      const same = byId.get(id)
      if (same !== undefined) {
        const message = `${file}: the name "${name}" is taken by the tactic of ${same.file}.`
        throw new LllmError('invalid-tactic', message, { file })
      }
      const first = byName.get(name)
      const place = first === undefined ? { address: name } : { address: id, shadowedBy: first.id }
      const registered: RegisteredTactic = { tactic, name, id, file, home, ...place }
      byId.set(id, registered)
      byClass.set(tactic, registered)
      if (first === undefined) byName.set(name, registered)
    }
  }
  const kind = indexTactics(packages)
  return {
    all: [...byId.values()],
    of: (tactic) => byClass.get(tactic),
    named: (home, name) => byId.get(`${home.name}::${name}`),
    find(home, text) {
      const found = findResource(home, text.replace('::', ':'), kind)
      if (!found.ok) return found.message
      return byClass.get(found.value.tactic) ?? `The tactic "${text}" is not registered.`
    },
  }
}

/** Tactics by their names, made once for all of the configs that look for theirs. */
function indexTactics(packages: readonly Package[]): ResourceKind<TacticSource> {
  const byPackage = new Map<Package, ReadonlyMap<string, TacticSource>>()
  for (const home of packages) {
    byPackage.set(home, new Map(home.tactics.map((source) => [source.tactic.spec.name ?? '', source])))
  }
  const none: ReadonlyMap<string, TacticSource> = new Map()
  return { section: 'tactics', noun: 'tactic', inPackage: (home) => byPackage.get(home) ?? none }
}

/** Dependencies come before those that need them, so that a class which both export belongs to the dependency. */
function findOwners(packages: readonly Package[]): ReadonlyMap<TacticClass, Package> {
  const owners = new Map<TacticClass, Package>()
  const visited = new Set<Package>()
  const visit = (source: Package) => {
    if (visited.has(source)) return
    visited.add(source)
    for (const dependency of source.dependencies) visit(dependency)
    for (const { tactic } of source.tactics) if (!owners.has(tactic)) owners.set(tactic, source)
  }
  for (const source of packages) visit(source)
  return owners
}

function nameOf({ spec: { name = '' } }: TacticClass, file: string): string {
  if (tacticName.test(name)) return name
  const message = `${file}: the name "${name}" of the tactic does not fit ${tacticName.source}.`
  throw new LllmError('invalid-tactic', message, { file })
}
