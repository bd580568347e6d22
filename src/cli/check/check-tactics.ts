import { LllmError } from '../../domain/errors.ts'
import type { PackageSet } from '../../domain/package.ts'
import { type Schema, toJsonSchema, validate } from '../../domain/schema.ts'
import { createBinder } from '../../engine/bind.ts'
import type { BindParts } from '../../engine/plan-agent.ts'
import { type RegisteredTactic, registerTactics } from '../../engine/tactic-registry.ts'
import type { Findings } from './check-findings.ts'

export interface TacticCheck {
  /** With the configs that are sound alone. */
  readonly packages: PackageSet
  readonly parts: BindParts
  /** The files of tactics that have a config which is not among them, so that it is not missed. */
  readonly excused: ReadonlySet<string>
}

/** Links all tactics with all of their configs, and tries their examples. No tactic is called. */
export async function judgeTactics({ packages, parts, excused }: TacticCheck, findings: Findings): Promise<void> {
  const registry = await findings.attempt(() => registerTactics(packages))
  if (registry === undefined) return
  const onMistake = (mistake: LllmError) => {
    const missesConfig = mistake.code === 'invalid-tactic' && mistake.data.file !== undefined
    if (!missesConfig || !excused.has(mistake.data.file ?? '')) findings.note(mistake)
  }
  await findings.attempt(() => void createBinder(packages, { ...parts, onMistake }).bindAll())
  for (const tactic of registry.all) {
    await judgeExamples(tactic, findings)
    warnOfSchemas(tactic, findings)
  }
}

async function judgeExamples({ name, file, tactic }: RegisteredTactic, findings: Findings): Promise<void> {
  for (const [index, example] of tactic.spec.examples.entries()) {
    const validated = await validate(tactic.spec.input, example)
    if (validated.ok) continue
    const told = validated.issues.map(({ pointer, message }) => `${pointer || 'the whole'}: ${message}`).join('; ')
    const message = `${file}: example ${index + 1} of the tactic "${name}" does not fit its input: ${told}`
    findings.note(new LllmError('invalid-tactic', message, { file }))
  }
}

/** A schema that says nothing is served as "anything": the service works, and its callers are left in the dark. */
function warnOfSchemas({ name, file, tactic: { spec } }: RegisteredTactic, findings: Findings) {
  for (const side of ['input', 'output'] as const) {
    if (!saysNothing(spec[side], side)) continue
    findings.warn([
      `${file}: the ${side} schema of the tactic "${name}" cannot be described as JSON Schema: callers are told that anything fits.`,
    ])
  }
}

function saysNothing(schema: Schema, side: 'input' | 'output'): boolean {
  try {
    return Object.keys(toJsonSchema(schema, side)).length === 0
  } catch {
    // That is a mistake, which whoever links the tactic tells.
    return false
  }
}
