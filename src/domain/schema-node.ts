/** A node of a JSON Schema. */
export type SchemaNode = Readonly<Record<string, unknown>>

export function asNode(value: unknown): SchemaNode | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as SchemaNode) : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The names of the types that a node allows, where it says so. */
export function typesOf({ type }: SchemaNode): readonly unknown[] {
  return Array.isArray(type) ? type : [type]
}

export function requiredOf({ required }: SchemaNode): ReadonlySet<unknown> {
  return new Set(listOf(required))
}

/** The schemas that a node holds. */
export function childrenOf(schema: SchemaNode): readonly unknown[] {
  const maps = [schema['properties'], schema['$defs']].flatMap((map) => Object.values(asNode(map) ?? {}))
  const items = schema['items'] === undefined ? [] : [schema['items']]
  return [...maps, ...listOf(schema['anyOf']), ...listOf(schema['oneOf']), ...items]
}

/** Whether null fits a node by itself. References are not followed. */
export function acceptsNull(schema: SchemaNode): boolean {
  if (typesOf(schema).includes('null') || schema['const'] === null || listOf(schema['enum']).includes(null)) return true
  const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  return alternatives.some((inner) => acceptsNull(asNode(inner) ?? {}))
}
