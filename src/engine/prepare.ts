import { LllmError } from '../domain/errors.ts'
import { validate } from '../domain/schema.ts'
import type { BoundConfig, BoundTactic, PreparedCall } from './engine.ts'

/** Judges a task by the tactic's input schema. Every door to a tactic goes through here. */
export async function prepareCall(tactic: BoundTactic, config: BoundConfig, task: unknown): Promise<PreparedCall> {
  const validated = await validate(tactic.tactic.spec.input, task)
  if (validated.ok) return { tactic, config, task, input: validated.value }
  const { issues } = validated
  const told = issues.map(({ pointer, message }) => `${pointer || 'the task'}: ${message}`).join('; ')
  throw new LllmError('invalid-task', `The task does not fit the tactic "${tactic.name}". ${told}`, { issues })
}
