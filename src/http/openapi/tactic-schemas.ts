import type { JsonSchema } from '../../domain/json.ts'
import { componentRef } from './operation.ts'
import type { TitledTactic } from './tactic-titles.ts'

/** The names under which the schemas of a tactic stand in the document. */
export function taskName({ title }: Pick<TitledTactic, 'title'>): string {
  return `${title}Task`
}
export function resultName({ title }: Pick<TitledTactic, 'title'>): string {
  return `${title}Result`
}

/** The schemas of all tasks and results. Their own definitions become components beside them. */
export function describeTactics(tactics: readonly TitledTactic[]): Readonly<Record<string, JsonSchema>> {
  return Object.assign(
    {},
    ...tactics.flatMap((titled) => [
      toComponents(taskName(titled), titled.tactic.inputSchema),
      toComponents(resultName(titled), titled.tactic.outputSchema),
    ]),
  )
}

/** `#` and `#/$defs/Node` mean another place once a schema is part of a document: they are led to where it is now. */
function toComponents(name: string, schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const { $defs = {}, ...root } = schema as JsonSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> }
  const definitionName = (definition: string) => `${name}_${definition.replace(/[^A-Za-z0-9._-]/g, '_')}`
  const lead = (ref: string) => {
    const definition = /^#\/\$defs\/([^/]+)$/.exec(ref)?.[1]
    if (definition !== undefined) return componentRef(definitionName(decodePointer(definition))).$ref
    return ref.startsWith('#') ? componentRef(name).$ref + ref.slice(1) : ref
  }
  const definitions = Object.entries($defs).map(([key, value]) => [definitionName(key), mapRefs(value, lead)])
  return { [name]: mapRefs(root, lead) as JsonSchema, ...Object.fromEntries(definitions) }
}

function decodePointer(text: string): string {
  return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
}

/** The keywords whose values are data, in which a `$ref` would be nothing but a key. */
const dataKeywords: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'example', 'examples'])

function mapRefs(schema: unknown, lead: (ref: string) => string): unknown {
  if (Array.isArray(schema)) return schema.map((inner) => mapRefs(inner, lead))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== '$schema' && key !== '$id')
      .map(([key, value]) => {
        if (dataKeywords.has(key)) return [key, value]
        return [key, key === '$ref' && typeof value === 'string' ? lead(value) : mapRefs(value, lead)]
      }),
  )
}
