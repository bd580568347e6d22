import type { JsonSchema } from '../../domain/json.ts'
import { harmless } from '../display-text.ts'

/** Beyond these a shape would say no more at a glance. */
const depthMax = 4
const membersMax = 20
const lengthMax = 600

/** What a JSON Schema asks for, in one line as TypeScript would say it: `{ code: string, focus?: string }`. */
export function shapeOf(schema: JsonSchema): string {
  const text = harmless(tell(schema, 0))
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text
}

function tell(schema: unknown, depth: number): string {
  if (!isSchema(schema) || depth > depthMax) return '…'
  if ('const' in schema) return JSON.stringify(schema['const'])
  const values = schema['enum']
  if (Array.isArray(values))
    return values
      .slice(0, membersMax)
      .map((value) => JSON.stringify(value))
      .join(' | ')
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(choices))
    return choices
      .slice(0, membersMax)
      .map((choice) => tell(choice, depth + 1))
      .join(' | ')
  const type = schema['type']
  if (Array.isArray(type)) return type.join(' | ')
  if (type === 'object') return tellObject(schema, depth)
  if (type === 'array') return `[${tell(schema['items'] ?? {}, depth + 1)}, …]`
  return typeof type === 'string' ? type : 'any JSON'
}

function tellObject(schema: JsonSchema, depth: number): string {
  const { properties, required, additionalProperties } = schema
  if (!isSchema(properties)) {
    return isSchema(additionalProperties) ? `{ <key>: ${tell(additionalProperties, depth + 1)}, … }` : '{ … }'
  }
  const needed = new Set(Array.isArray(required) ? required : [])
  const members = Object.entries(properties).map(([key, member]) => {
    return `${key}${needed.has(key) ? '' : '?'}: ${tell(member, depth + 1)}`
  })
  const shown = members.length > membersMax ? [...members.slice(0, membersMax), '…'] : members
  return shown.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
