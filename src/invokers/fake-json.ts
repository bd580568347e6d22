import { type JsonSchema as FakerSchema, generateSync } from 'json-schema-faker'
import type { JsonSchema } from '../domain/json.ts'

/** However much a schema asks for, a fake value is not larger: items of a list, characters of a text, levels of a schema. */
const itemsMax = 100
const lengthMax = 10_000
const depthMax = 32

/** JSON text that fits a schema. The same schema and seed always give the same text. */
export function fakeJson(schema: JsonSchema, seed: number): string {
  try {
    const value = generateSync(soften(schema, 'value', 0) as FakerSchema, {
      seed,
      alwaysFakeOptionals: true,
      maxDefaultItems: 3,
      maxDepth: 8,
      refDepthMax: 2,
      minDateTime: '2026-01-01T00:00:00Z',
      maxDateTime: '2026-12-31T00:00:00Z',
      formats: { duration: () => 'PT1H' },
    })
    return JSON.stringify(value) ?? 'null'
  } catch {
    // A schema that cannot be satisfied, or that refers to what is not there: whoever asked judges the value.
    return '{}'
  }
}

type Node = Readonly<Record<string, unknown>>

/** Makes a schema narrower where it says little, so that its fakes are readable, and where it asks for too much. */
function soften(node: unknown, name: string, depth: number): unknown {
  if (!isNode(node) || depth >= depthMax || 'const' in node || 'enum' in node) return node
  const inner = softenChildren(node, name, depth)
  if (node['type'] === 'string') return softenString(inner, name)
  if (node['type'] === 'number' || node['type'] === 'integer') return softenNumber(inner)
  if (node['type'] === 'array') return softenArray(inner)
  return inner
}

function softenChildren(node: Node, name: string, depth: number): Node {
  const each = (value: unknown, key: string) => soften(value, key, depth + 1)
  const entries = Object.entries(node).map(([keyword, value]) => {
    if ((keyword === 'properties' || keyword === '$defs') && isNode(value)) {
      return [keyword, Object.fromEntries(Object.entries(value).map(([key, child]) => [key, each(child, key)]))]
    }
    if ((keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'prefixItems') && Array.isArray(value)) {
      return [keyword, value.map((child) => each(child, name))]
    }
    // Equal texts are no unique items.
    if (keyword === 'items' && node['uniqueItems'] !== true) return [keyword, each(value, name)]
    return [keyword, value]
  })
  return Object.fromEntries(entries)
}

function softenString(node: Node, name: string): Node {
  if ('pattern' in node || 'format' in node || 'contentEncoding' in node) return node
  const lengthMin = Math.min(readNumber(node['minLength']) ?? 0, lengthMax)
  const cut = `simulated ${name}`.slice(0, readNumber(node['maxLength']) ?? lengthMax)
  return { const: cut.toWellFormed().padEnd(lengthMin, '.') }
}

function softenNumber(node: Node): Node {
  if (['multipleOf', 'exclusiveMinimum', 'exclusiveMaximum'].some((keyword) => keyword in node)) return node
  // A bound that is as far away as numbers go is none.
  const [low, high] = [node['minimum'], node['maximum']].map((bound) => {
    const value = readNumber(bound)
    return value === undefined || Math.abs(value) > 1e9 ? undefined : value
  })
  const minimum = low ?? (high === undefined ? 1 : high - 100)
  return { ...node, minimum, maximum: high ?? minimum + 100 }
}

function softenArray(node: Node): Node {
  // Items by reference may be lists of themselves, which must be allowed to end.
  const { items } = node
  if ('prefixItems' in node || (isNode(items) && '$ref' in items)) return node
  const fewest = Math.min(readNumber(node['minItems']) ?? 1, itemsMax)
  const most = Math.min(readNumber(node['maxItems']) ?? Math.max(3, fewest), itemsMax)
  return { ...node, minItems: Math.min(fewest, most), maxItems: most }
}

function readNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
