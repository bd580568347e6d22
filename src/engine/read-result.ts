import { LllmError } from '../domain/errors.ts'
import { validate } from '../domain/schema.ts'
import type { BoundTactic } from './engine.ts'

/** Judges what a tactic returned by its output schema. Rejects with an LllmError `invalid-result`. */
export async function readResult({ name, tactic }: BoundTactic, result: unknown): Promise<unknown> {
  const validated = await validate(tactic.spec.output, result)
  if (!validated.ok) {
    const issues = validated.issues.map(({ pointer, message }) => `${pointer || 'the result'}: ${message}`).join('; ')
    throw new LllmError(
      'invalid-result',
      `The result of the tactic "${name}" does not fit its output schema. ${issues}`,
    )
  }
  if (isJson(validated.value)) return validated.value
  throw new LllmError('invalid-result', `The result of the tactic "${name}" cannot be written as JSON.`)
}

function isJson(value: unknown): boolean {
  // A tactic that returns nothing has the result null.
  if (typeof value === 'string' || value === undefined) return true
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}
