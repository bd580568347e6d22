import { LllmError } from './errors.ts'
import type { JsonSchema } from './json.ts'
import { type Schema, type SchemaOutput, toJsonSchema } from './schema.ts'

export interface ToolContext {
  /** Aborts when the call ends early: hand it to your own I/O. */
  readonly signal: AbortSignal
  /**
   * Names this call of the tool. In a run it is the same when the call is made again, because nobody knows whether the process that made it
   * before has come to its end: hand it to whatever must not be done twice. At most 128 characters.
   */
  readonly idempotencyKey: string
}

/** Something that a model may have done on its behalf. */
export interface Tool {
  /** `[a-zA-Z0-9_-]{1,64}` */
  readonly name: string
  /** Tells the model what the tool does and when to use it. */
  readonly description: string
  /** The JSON Schema (2020-12) of the arguments: an object. */
  readonly parameters: JsonSchema
  /** Judges the arguments, where they are typed; otherwise whoever runs the tool does. */
  readonly schema?: Schema
  /** A result that is not a string is told to the model as JSON. What it throws is told to the model as text. */
  run(args: unknown, context: ToolContext): unknown
}

export const toolName = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * Declares a tool with typed arguments.
 *
 * @throws LllmError `invalid-prompt` when the name does not fit or the arguments are not an object.
 */
export function defineTool<Args extends Schema>(spec: {
  readonly name: string
  readonly description: string
  /** A schema of an object, for example `z.object({ city: z.string() })`. */
  readonly args: Args
  readonly run: (args: SchemaOutput<Args>, context: ToolContext) => unknown
}): Tool {
  if (!toolName.test(spec.name)) {
    throw new LllmError('invalid-prompt', `The tool name "${spec.name}" does not fit [a-zA-Z0-9_-]{1,64}.`)
  }
  const parameters = toJsonSchema(spec.args, 'input')
  if (parameters['type'] !== 'object') {
    throw new LllmError('invalid-prompt', `The arguments of the tool "${spec.name}" must be an object schema.`)
  }
  return {
    name: spec.name,
    description: spec.description,
    parameters,
    schema: spec.args,
    run: (args, context) => spec.run(args as SchemaOutput<Args>, context),
  }
}
