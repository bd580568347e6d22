import { LllmError, listKnown } from './errors.ts'
import { forbiddenKeys, isDeeperThan, jsonPointer } from './json.ts'
import type { ConfigSource } from './package.ts'

/** A config nests at most this deep, and its chain of `base`s is at most this long. */
export const configDepthMax = 32

type Tree = Record<string, unknown>

/** The value of a config over the values of its bases, without `base` itself. */
export function mergeBases(source: ConfigSource, configs: ReadonlyMap<string, ConfigSource>): Tree {
  const chain = chainOf(source, configs)
  const merged = chain.reduceRight<Tree>((base, { file, value }) => merge(base, checkTree(value, file)), emptyTree())
  delete merged['base']
  return merged
}

function emptyTree(): Tree {
  return Object.create(null) as Tree
}

function chainOf(source: ConfigSource, configs: ReadonlyMap<string, ConfigSource>): readonly ConfigSource[] {
  const chain = [source]
  for (let current = source; current.value['base'] !== undefined; ) {
    const { base } = current.value
    if (typeof base !== 'string') throw configMistake(current.file, '/base must be the name of a config.')
    const next = findBase(base, current, configs)
    const path = [...chain, next].map(({ name }) => name).join(' → ')
    if (chain.includes(next)) throw configMistake(current.file, `The chain of bases is a cycle: ${path}.`)
    if (chain.length >= configDepthMax)
      throw configMistake(current.file, `The chain of bases is longer than ${configDepthMax}.`)
    chain.push(next)
    current = next
  }
  return chain
}

function findBase(base: string, from: ConfigSource, configs: ReadonlyMap<string, ConfigSource>): ConfigSource {
  const folder = from.name.includes('/') ? from.name.slice(0, from.name.lastIndexOf('/') + 1) : ''
  const beside = configs.get(folder + base)
  const found = beside !== undefined && beside !== from ? beside : configs.get(base)
  if (found !== undefined) return found
  throw configMistake(from.file, `There is no config "${base}" to be its base. ${listKnown(base, [...configs.keys()])}`)
}

function merge(base: Tree, over: Tree): Tree {
  const merged = Object.assign(emptyTree(), base)
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value
  }
  return merged
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Refuses what could harm a merge: keys that reach a prototype, and bottomless nesting. */
function checkTree(value: Readonly<Record<string, unknown>>, file: string): Tree {
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
