import type { JsonSchema } from './json.ts'
import { acceptsNull, asNode, childrenOf, listOf, requiredOf, type SchemaNode, typesOf } from './schema-node.ts'
import { withoutAddedNulls } from './strict-restore.ts'

/**
 * A JSON Schema rewritten for providers' strict mode, where the root is an object, every property is required, and no
 * other property is allowed (https://platform.openai.com/docs/guides/structured-outputs). An optional property becomes a
 * nullable one; `restore` undoes what the rewriting did to a value.
 */
export interface StrictSchema {
  readonly schema: JsonSchema
  /** False where the schema says something that strict mode cannot: then it is sent as a hint, unchanged but for its root. */
  readonly strict: boolean
  /** The schema as it was, but for its root, which is an object. */
  readonly full: JsonSchema
  restore(value: unknown): unknown
}

/** Keywords that strict mode reads. All others are left out: the author's own schema still judges the value by them. */
const keptKeywords: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'description', '$ref'],
  ...['properties', 'items', 'anyOf', '$defs'],
  ...['multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems'],
])
/** Formats that strict mode knows. One that it does not know would have the whole request refused. */
const knownFormats: ReadonlySet<unknown> = new Set([
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'],
])
/** Keywords that cannot be left out without changing what a value may look like. */
const unfitKeywords: readonly string[] = [
  'allOf',
  'not',
  'if',
  'prefixItems',
  'patternProperties',
  'propertyNames',
  'contains',
]

export function toStrictSchema(schema: JsonSchema): StrictSchema {
  const isObject = schema['type'] === 'object'
  const root = isObject ? schema : wrap(schema)
  const strict = isFit(root)
  return {
    schema: strict ? (rewrite(root) as JsonSchema) : root,
    strict,
    full: root,
    restore(value) {
      const restored = strict ? withoutAddedNulls(value, root) : value
      return isObject ? restored : unwrap(restored)
    },
  }
}

/** Puts a schema that is no object into one, as its only property. What refers to the root keeps doing so. */
function wrap({ $defs, ...schema }: JsonSchema): JsonSchema {
  const definitions = { ...asNode($defs), root: schema }
  const isRecursive = JSON.stringify(definitions).includes('"$ref":"#"')
  const value = isRecursive ? { $ref: '#/$defs/root' } : schema
  const kept = isRecursive ? asNode(redirectRoot(definitions)) : asNode($defs)
  return {
    type: 'object',
    properties: { value },
    required: ['value'],
    additionalProperties: false,
    ...(kept === undefined ? {} : { $defs: kept }),
  }
}

function redirectRoot(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(redirectRoot)
  const schema = asNode(node)
  if (schema === undefined) return node
  return mapValues(schema, (value, key) => (key === '$ref' && value === '#' ? '#/$defs/root' : redirectRoot(value)))
}

/** Models that are only asked, not held, to wrap a value now and then give it bare. */
function unwrap(value: unknown): unknown {
  const node = asNode(value)
  return node !== undefined && Object.keys(node).join() === 'value' ? node['value'] : value
}

function isFit(node: unknown): boolean {
  const schema = asNode(node)
  if (schema === undefined || unfitKeywords.some((keyword) => keyword in schema)) return false
  const { $ref: reference, items, properties, additionalProperties: others } = schema
  if (reference !== undefined) return typeof reference === 'string' && /^#(?:\/\$defs\/[^/]+)?$/.test(reference)
  if (!['type', 'enum', 'const', 'anyOf', 'oneOf'].some((keyword) => keyword in schema)) return false
  const types = typesOf(schema)
  if (types.includes('object') && (asNode(properties) === undefined || (others !== undefined && others !== false))) {
    return false
  }
  if (types.includes('array') && items === undefined) return false
  return childrenOf(schema).every(isFit)
}

function rewrite(node: unknown): unknown {
  const schema = asNode(node)
  if (schema === undefined) return node
  const { $ref: reference, $defs, items, properties } = schema
  const definitions = asNode($defs) === undefined ? {} : { $defs: mapValues(asNode($defs) ?? {}, rewrite) }
  // Strict mode allows nothing beside a reference.
  if (reference !== undefined) return { $ref: reference, ...definitions }
  const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  return {
    ...Object.fromEntries(Object.entries(schema).filter(([keyword]) => keptKeywords.has(keyword))),
    ...textRules(schema),
    ...(items === undefined ? {} : { items: rewrite(items) }),
    ...(alternatives.length === 0 ? {} : { anyOf: alternatives.map(rewrite) }),
    ...(typesOf(schema).includes('object') ? rewriteProperties(schema, asNode(properties) ?? {}) : {}),
    ...definitions,
  }
}

/** A format says what its pattern says; and a pattern that looks around is one that strict mode cannot follow. */
function textRules({ format, pattern }: SchemaNode): SchemaNode {
  if (knownFormats.has(format)) return { format }
  return typeof pattern === 'string' && !/\(\?[=!<]/.test(pattern) ? { pattern } : {}
}

function rewriteProperties(schema: SchemaNode, properties: SchemaNode): SchemaNode {
  const required = requiredOf(schema)
  const rewritten = mapValues(properties, (property, name) => {
    const isFree = required.has(name) || acceptsNull(asNode(property) ?? {})
    return isFree ? rewrite(property) : { anyOf: [rewrite(property), { type: 'null' }] }
  })
  return { properties: rewritten, required: Object.keys(properties), additionalProperties: false }
}

function mapValues(map: SchemaNode, change: (value: unknown, key: string) => unknown): SchemaNode {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]))
}
