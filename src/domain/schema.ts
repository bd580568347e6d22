import { createRequire } from 'node:module'
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { z } from 'zod'
import type { Issue } from './errors.ts'
import { type JsonSchema, jsonPointer } from './json.ts'

/**
 * A schema of any library that speaks Standard Schema (https://standardschema.dev): zod 4, zod 3.24 or later, valibot,
 * arktype and others.
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

export type Validated<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly issues: readonly Issue[] }

/** At most this many issues are told for one value; the rest would help nobody. */
const issuesMax = 20

/**
 * Validates a value, filling in defaults. It does not reject: what does not fit is told in `issues`, and so is a value
 * over which the schema's own code (a transform, a check) threw an exception.
 * `prefix` is put before each pointer, for a value that is a part of a larger input.
 */
export async function validate<S extends Schema>(
  schema: S,
  value: unknown,
  prefix = '',
): Promise<Validated<SchemaOutput<S>>> {
  const result = await judge(schema, value)
  if (result.issues === undefined) return { ok: true, value: result.value as SchemaOutput<S> }
  const issues = result.issues.slice(0, issuesMax).map(({ message, path = [] }) => ({
    pointer: prefix + jsonPointer(path.map((step) => (typeof step === 'object' ? step.key : step))),
    message,
  }))
  return { ok: false, issues }
}

async function judge(schema: Schema, value: unknown): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    if (!isZod4(schema)) return await schema['~standard'].validate(value)
    // What zod offers as `validate` runs an asynchronous check twice, and lets the first failure of it go unhandled.
    const parsed = await z.safeParseAsync(schema, value)
    return parsed.success ? { value: parsed.data } : { issues: parsed.error.issues }
  } catch {
    return { issues: [{ message: 'Invalid input: the schema cannot make anything of it' }] }
  }
}

/** Which side of a schema is described: what a caller sends (defaults may be left out) or what comes out. */
export type SchemaSide = 'input' | 'output'

/**
 * Describes a schema as JSON Schema. What has no counterpart there (a transform, a custom check) is described as
 * "anything", never refused: the schema itself remains the judge.
 */
export function toJsonSchema(schema: Schema, side: SchemaSide): JsonSchema {
  const { $schema: _, $ref: reference, ...described } = describe(schema, side)
  if (typeof reference !== 'string') return described
  // A schema that has an id and refers to itself stands among its own definitions.
  const { $defs } = described as { readonly $defs?: Readonly<Record<string, JsonSchema>> }
  return { ...$defs?.[reference.replace('#/$defs/', '')], ...described }
}

function describe(schema: Schema, side: SchemaSide): Readonly<Record<string, unknown>> {
  if (isZod4(schema)) return z.toJSONSchema(schema, { io: side, unrepresentable: 'any', target: 'draft-2020-12' })
  const standard = schema['~standard'] as Partial<StandardJSONSchemaV1.Props> & StandardSchemaV1.Props
  if (standard.jsonSchema !== undefined) {
    try {
      return standard.jsonSchema[side]({ target: 'draft-2020-12' })
    } catch {
      // Libraries throw where something has no counterpart.
      return {}
    }
  }
  // zod-to-json-schema reads zod 3 only; of anything else it says, without a warning, that all values fit.
  if (isZod3(schema)) {
    return readZod3().zodToJsonSchema(schema as never, {
      target: 'jsonSchema2019-09',
      pipeStrategy: side,
      $refStrategy: 'none',
    }) as Readonly<Record<string, unknown>>
  }
  return {}
}

const require = createRequire(import.meta.url)

/** Loaded when there is a schema of zod 3, all of which comes with it. */
function readZod3(): typeof import('zod-to-json-schema') {
  return require('zod-to-json-schema')
}

function isZod4(schema: Schema): schema is z.ZodType {
  return '_zod' in schema
}

function isZod3(schema: Schema): boolean {
  return !isZod4(schema) && schema['~standard'].vendor === 'zod' && '_def' in schema
}
