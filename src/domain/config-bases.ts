import { LllmError } from './errors.ts'
import { findResource } from './find-resource.ts'
import { forbiddenKeys, isDeeperThan, isTree, jsonPointer, type Tree } from './json.ts'
import type { ConfigSource, Package } from './package.ts'
import { qualifyReferences } from './qualify-references.ts'
import { configKind } from './resource-kinds.ts'

/** A config nests at most this deep, and its chain of `base`s is at most this long. */
export const configDepthMax = 32

/** A tree that is still being made. */
type Growing = Record<string, unknown>

/** A config and the package that it is in. */
interface Link {
  readonly source: ConfigSource
  readonly home: Package
}

/**
 * The value of a config over the values of its bases, without `base` itself. What a base from another package refers to
 * is written in full, so that it means here what it means there.
 */
export function mergeBases(source: ConfigSource, home: Package): Growing {
  const chain = chainOf({ source, home })
  const merged = chain.reduceRight<Growing>((base, link) => {
    const value = checkTree(link.source.value, link.source.file)
    return merge(base, link.home === home ? value : qualifyReferences(value, link.home))
  }, emptyTree())
  delete merged['base']
  return merged
}

/** The configs that one is made of: itself, its base, the base of that. @throws LllmError `invalid-config` */
export function baseChain(source: ConfigSource, home: Package): readonly ConfigSource[] {
  return chainOf({ source, home }).map((link) => link.source)
}

function emptyTree(): Growing {
  return Object.create(null) as Growing
}

function chainOf(first: Link): readonly Link[] {
  const chain = [first]
  for (let current = first; current.source.value['base'] !== undefined; ) {
    const { file, value } = current.source
    const { base } = value
    if (typeof base !== 'string') throw configMistake(file, '/base must be the name of a config.')
    const next = findBase(base, current)
    if (chain.some(({ source }) => source === next.source)) {
      const path = [...chain, next].map((link) => tellLink(link, first.home)).join(' → ')
      throw configMistake(file, `The chain of bases is a cycle: ${path}.`)
    }
    if (chain.length >= configDepthMax) {
      throw configMistake(file, `The chain of bases is longer than ${configDepthMax}.`)
    }
    chain.push(next)
    current = next
  }
  return chain
}

function tellLink({ source, home }: Link, from: Package): string {
  return home === from ? source.name : `${home.name}:${source.name}`
}

/** Beside the config first, then from the top of its package, then elsewhere. */
function findBase(base: string, { source: from, home }: Link): Link {
  const folder = from.name.includes('/') ? from.name.slice(0, from.name.lastIndexOf('/') + 1) : ''
  const beside = home.configs.get(folder + base)
  if (beside !== undefined && beside !== from) return { source: beside, home }
  const found = findResource(home, base, configKind)
  if (found.ok) return { source: found.value, home: found.home }
  throw configMistake(from.file, `/base: ${found.message}`)
}

function merge(base: Tree, over: Tree): Growing {
  const merged = Object.assign(emptyTree(), base)
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value
  }
  return merged
}

/** Refuses what could harm a merge: keys that reach a prototype, and bottomless nesting. */
function checkTree(value: Tree, file: string): Tree {
  if (isDeeperThan(value, configDepthMax)) throw configMistake(file, `It nests deeper than ${configDepthMax} levels.`)
  const visit = (inner: unknown, path: readonly string[]): void => {
    if (typeof inner !== 'object' || inner === null) return
    for (const [key, child] of Object.entries(inner)) {
      const childPath = [...path, key]
      if (forbiddenKeys.has(key)) {
        throw configMistake(file, `${jsonPointer(childPath)} is not allowed: it would reach a prototype.`)
      }
      visit(child, childPath)
    }
  }
  visit(value, [])
  return value
}

/** A mistake in a config file, told with the name of the file. */
export function configMistake(file: string, message: string) {
  return new LllmError('invalid-config', `${file}: ${message}`, { file })
}
