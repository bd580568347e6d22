import type { FastifyBaseLogger } from 'fastify'
import { LllmError, listKnown } from './domain/errors.ts'
import { settingSpecs } from './setting-specs.ts'
import type { OpenSettings, Settings } from './settings.ts'

/** The settings that a service may have other than its runtime. They have the ranges of their variables, and their meaning. */
const optionNames = [
  'bodyLimitBytes',
  'batchTasksMax',
  'batchWorkersMax',
  'callsMax',
  'queueMax',
  'timeoutMs',
  'runTimeoutMs',
  'graceMs',
] as const satisfies readonly (keyof Settings)[]

type ServiceSettings = Pick<Settings, (typeof optionNames)[number]>

/** What may be said of a service. What is left out is as the settings of its runtime say. */
export interface ServiceOptions extends Partial<ServiceSettings> {
  /** Where requests and failures are logged: by pino, or by something with its methods. */
  readonly logger?: FastifyBaseLogger
}

/**
 * The settings of a service: what its options say, and else those of its runtime.
 *
 * @param otherNames What the options may have besides.
 * @throws LllmError `invalid-settings`, which tells all options that are unknown or do not fit.
 */
export function readServiceOptions(
  options: ServiceOptions,
  settings: OpenSettings,
  otherNames: readonly string[],
): ServiceSettings {
  const known = [...optionNames, ...otherNames]
  const unknown = Object.keys(options).filter((name) => !known.includes(name))
  const mistakes = [
    ...unknown.map((name) => `There is no option "${name}". ${listKnown(name, known)}`),
    ...optionNames.flatMap((name) => findMistake(name, options[name]) ?? []),
  ]
  if (mistakes.length > 0) throw new LllmError('invalid-settings', mistakes.join('\n'))
  const values = optionNames.map((name) => [name, options[name] ?? settings[name]])
  return Object.fromEntries(values) as ServiceSettings
}

function findMistake(name: (typeof optionNames)[number], value: unknown): string | undefined {
  const { schema, expects } = settingSpecs[name]
  if (value === undefined || (typeof value === 'number' && schema.safeParse(String(value)).success)) return undefined
  return `The option "${name}" must be ${expects}, not ${typeof value === 'number' ? value : typeof value}.`
}
