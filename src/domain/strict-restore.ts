import { acceptsNull, asNode, listOf, requiredOf, type SchemaNode, typesOf } from './schema-node.ts'

/** Values from a model are followed this deep. */
const depthMax = 100

/** Takes out the nulls that stand for "left out", where strict mode made an optional property a nullable one. */
export function withoutAddedNulls(value: unknown, root: SchemaNode): unknown {
  return restore(value, [root], root, depthMax)
}

/** A value may be described by several schemas at once: the alternatives of a union. */
function restore(value: unknown, schemas: readonly SchemaNode[], root: SchemaNode, depth: number): unknown {
  if (depth <= 0 || typeof value !== 'object' || value === null) return value
  const branches = branchesOf(schemas, root)
  if (Array.isArray(value)) {
    const items = branches.map((branch) => asNode(branch['items'])).filter((inner) => inner !== undefined)
    return items.length === 0 ? value : value.map((inner) => restore(inner, items, root, depth - 1))
  }
  const fitting = branches.filter((branch) => mayDescribe(branch, value as SchemaNode))
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const owners = fitting.flatMap((branch) => {
      const properties = asNode(branch['properties']) ?? {}
      const property = Object.hasOwn(properties, name) ? asNode(properties[name]) : undefined
      return property === undefined ? [] : [{ property, isOptional: !requiredOf(branch).has(name) }]
    })
    const properties = owners.map(({ property }) => property)
    const standsForLeftOut = owners.some(({ isOptional }) => isOptional) && !properties.some(acceptsNull)
    if (inner === null && standsForLeftOut) return []
    return [[name, restore(inner, properties, root, depth - 1)]]
  })
  return Object.fromEntries(entries)
}

/** Whether an object can be meant by this alternative, judged by the properties that tell alternatives apart. */
function mayDescribe(schema: SchemaNode, value: SchemaNode): boolean {
  if (!typesOf(schema).includes('object')) return false
  return Object.entries(asNode(schema['properties']) ?? {}).every(([name, property]) => {
    const told = asNode(property)
    if (told === undefined || !Object.hasOwn(value, name) || value[name] === null) return true
    if ('const' in told) return told['const'] === value[name]
    return !('enum' in told) || listOf(told['enum']).includes(value[name])
  })
}

/**
 * The plain schemas behind references and alternatives, each once: a schema of somebody else may refer to itself in more
 * ways than could ever be followed.
 */
function branchesOf(schemas: readonly SchemaNode[], root: SchemaNode): readonly SchemaNode[] {
  const definitions = asNode(root['$defs']) ?? {}
  const seen = new Set<SchemaNode>()
  const plain: SchemaNode[] = []
  const waiting = [...schemas]
  for (let schema = waiting.shift(); schema !== undefined; schema = waiting.shift()) {
    if (seen.has(schema)) continue
    seen.add(schema)
    const reference = schema['$ref']
    const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
    if (typeof reference === 'string') {
      const target = reference === '#' ? root : asNode(definitions[reference.replace('#/$defs/', '')])
      if (target !== undefined) waiting.push(target)
    } else if (alternatives.length === 0) plain.push(schema)
    else waiting.push(...alternatives.map(asNode).filter((inner) => inner !== undefined))
  }
  return plain
}
