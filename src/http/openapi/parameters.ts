import type { z } from 'zod'
import type { JsonSchema } from '../../domain/json.ts'
import { tagKeyPattern } from '../fields.ts'
import { describeRequest } from './components.ts'
import type { Parameter } from './operation.ts'

/** The parameters of a query, from the schema that judges it. */
export function describeQuery(schema: z.ZodObject): readonly Parameter[] {
  const properties = describeRequest(schema)['properties'] as Readonly<
    Record<string, JsonSchema & { description?: string }>
  >
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema: property,
  }))
}

/** `tag.KEY=VALUE`, any number of them. An object that is exploded is written as one parameter for each member. */
export const tagsParameter: Parameter = {
  name: 'tags',
  in: 'query',
  required: false,
  style: 'form',
  explode: true,
  description: 'Only those that have these tags: `tag.KEY=VALUE`, any number of times.',
  schema: {
    type: 'object',
    propertyNames: { pattern: `^tag\\.${tagKeyPattern}$` },
    additionalProperties: { type: 'string' },
  },
}

export function pathParameter(name: string, description: string): Parameter {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } }
}
