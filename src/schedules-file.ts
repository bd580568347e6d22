import { z } from 'zod'
import { listKnown } from './domain/errors.ts'
import { jsonPointer } from './domain/json.ts'
import { tellIssue } from './domain/tell-issue.ts'
import { defaultTenant, tenantPattern } from './domain/tenant.ts'
import { name } from './http/fields.ts'
import { createRunSchema } from './http/run-request.ts'
import type { Settings } from './settings.ts'

const schedulesMax = 1_000
const expressionLengthMax = 256

/** A mistake with the place that it is about. */
export interface PlacedMistake {
  readonly path: readonly PropertyKey[]
  /** Begins with the place as a JSON Pointer. */
  readonly message: string
}

/** A schedule as it is written: what is asked of its runs is asked, and judged, as in the body of `POST /tactics/{name}/runs`. */
export type WrittenSchedule = z.output<ReturnType<typeof createScheduleSchema>>

function createScheduleSchema(settings: Pick<Settings, 'runTimeoutMs'>) {
  const { run_at: _, ...run } = createRunSchema(settings).shape
  return z.strictObject({
    name: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 letters, digits and _ . -'),
    tenant: z
      .string()
      .regex(tenantPattern, 'must be the name of a tenant: up to 64 lower case letters, digits and _ -')
      .default(defaultTenant),
    tactic: name,
    cron: z.string().max(expressionLengthMax),
    time_zone: z.string().max(expressionLengthMax).default('UTC'),
    overlap: z.enum(['skip', 'allow', 'cancel'], 'must be skip, allow or cancel').default('skip'),
    catch_up: z.enum(['none', 'last'], 'must be none or last').default('none'),
    ...run,
  })
}

export type ParsedSchedules =
  | { readonly ok: true; readonly schedules: readonly WrittenSchedule[] }
  | { readonly ok: false; readonly mistakes: readonly PlacedMistake[] }

/** Judges the operator's file of schedules. Whether there is what they name is for others to say. */
export function parseSchedules(value: unknown, settings: Pick<Settings, 'runTimeoutMs'>): ParsedSchedules {
  const schedule = createScheduleSchema(settings)
  const parsed = z.strictObject({ schedules: z.array(schedule).max(schedulesMax) }).safeParse(value)
  if (!parsed.success) {
    const known = Object.keys(schedule.shape)
    return { ok: false, mistakes: parsed.error.issues.map((issue) => tellPlaced(issue, known)) }
  }
  const { schedules } = parsed.data
  const names = schedules.map((one) => one.name)
  const mistakes = names.flatMap((own, index) => {
    const first = names.indexOf(own)
    if (first === index) return []
    return [placedMistake(['schedules', index, 'name'], `There is already a schedule "${own}": /schedules/${first}.`)]
  })
  return mistakes.length === 0 ? { ok: true, schedules } : { ok: false, mistakes }
}

export function placedMistake(path: readonly PropertyKey[], message: string): PlacedMistake {
  return { path, message: `${jsonPointer(path)}: ${message}` }
}

function tellPlaced(issue: z.core.$ZodIssue, known: readonly string[]): PlacedMistake {
  const { path } = issue
  if (issue.code !== 'unrecognized_keys') return { path, message: tellIssue(issue) }
  const [key = ''] = issue.keys
  const isOfSchedule = path.length === 2
  const told = isOfSchedule ? ` ${listKnown(key, known)}` : ''
  return { path: [...path, key], message: `${tellIssue(issue, ['schedules'])}${told}` }
}
