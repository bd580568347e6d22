import type { OutputFormat } from '../domain/invoker.ts'
import { isDeeperThan } from '../domain/json.ts'
import type { AnyPrompt } from '../domain/prompt.ts'
import { type Schema, toJsonSchema, validate } from '../domain/schema.ts'
import { toStrictSchema } from '../domain/strict-schema.ts'

/** What came of reading a reply. The error is written for the model. */
export type Read = { readonly ok: true; readonly parsed: unknown } | { readonly ok: false; readonly error: string }

/** What a reply has to be, so that it counts as one. */
export interface Contract {
  readonly format?: OutputFormat
  read(text: string): Promise<Read>
}

const textContract: Contract = {
  read: async (text) => (text.trim() === '' ? { ok: false, error: 'It was empty.' } : { ok: true, parsed: text }),
}

/** Contracts by prompt: a prompt is immutable and lives as long as the process. */
const contracts = new WeakMap<AnyPrompt, Contract>()
const schemaContracts = new WeakMap<Schema, Contract>()

export function contractOf(prompt: AnyPrompt): Contract {
  const known = contracts.get(prompt)
  if (known !== undefined) return known
  const contract = makeContract(prompt)
  contracts.set(prompt, contract)
  return contract
}

function makeContract({ output, parser }: AnyPrompt): Contract {
  if (output !== undefined) return jsonContract(output)
  if (parser === undefined) return textContract
  return {
    ...(parser.format === undefined ? {} : { format: parser.format }),
    async read(text) {
      try {
        return { ok: true, parsed: parser.parse(text) }
      } catch (error) {
        return { ok: false, error: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

/** The reply is JSON that fits a schema. */
export function jsonContract(schema: Schema): Contract {
  const known = schemaContracts.get(schema)
  if (known !== undefined) return known
  const strict = toStrictSchema(toJsonSchema(schema, 'input'))
  const contract: Contract = {
    format: { kind: 'json', name: 'reply', schema: strict.schema, strict: strict.strict, full: strict.full },
    async read(text) {
      const json = readJson(text)
      if (!json.ok) return json
      const validated = await validate(schema, strict.restore(json.parsed))
      if (validated.ok) return { ok: true, parsed: validated.value }
      const issues = validated.issues.map(({ pointer, message }) => `${pointer || 'the value'}: ${message}`)
      return { ok: false, error: `The JSON does not fit the schema. ${issues.join('; ')}` }
    },
  }
  schemaContracts.set(schema, contract)
  return contract
}

/** Deeper JSON is refused: what walks through it would run out of stack. */
const jsonDepthMax = 100

/** Models like to wrap JSON in a fence; that much is forgiven. */
export function readJson(text: string): Read {
  const trimmed = text.trim()
  const isFenced = trimmed.startsWith('```') && trimmed.endsWith('```') && trimmed.includes('\n')
  const inner = isFenced ? trimmed.slice(trimmed.indexOf('\n') + 1, -3) : trimmed
  try {
    const parsed: unknown = JSON.parse(inner)
    if (!isDeeperThan(parsed, jsonDepthMax)) return { ok: true, parsed }
    return { ok: false, error: `It nests deeper than ${jsonDepthMax} levels.` }
  } catch {
    return { ok: false, error: 'It is not JSON. Reply with the JSON value alone, without any other text.' }
  }
}
