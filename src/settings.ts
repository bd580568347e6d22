import type { z } from 'zod'
import { LllmError, listKnown } from './domain/errors.ts'
import { findSecrets } from './secrets.ts'
import type { SettingSpec } from './setting-spec.ts'
import { settingSpecs } from './setting-specs.ts'

type Specs = typeof settingSpecs
type SettingName = keyof Specs
type ValueOf<Spec extends SettingSpec> = Spec extends { readonly default: string }
  ? z.output<Spec['schema']>
  : z.output<Spec['schema']> | undefined

type Values = { readonly [Name in SettingName]: ValueOf<Specs[Name]> }

/** The settings of the service. Immutable. */
export interface Settings extends Values {
  /** Keys of invokers that configs declare, by the name as it stands in the variable: `MY_SERVER`. */
  readonly invokerKeys: ReadonlyMap<string, string>
  /** Whatever must be told to nobody: of the settings above, and of the variables that `LLLM_REDACT` names. */
  readonly secrets: readonly string[]
  /** What looks like a mistake but does not stop the service. */
  readonly warnings: readonly string[]
}

type SecretName = {
  [Name in SettingName]: Specs[Name] extends { readonly secret: true | 'url' } ? Name : never
}[SettingName]

/** What of the settings may be shown, logged and kept. */
export type OpenSettings = Omit<Settings, SecretName | 'invokerKeys' | 'secrets'>

/** The settings without keys, and without whatever may hold a password. */
export function withoutSecrets(settings: Settings): OpenSettings {
  const isSecret = (name: string) => {
    const specs: Readonly<Record<string, SettingSpec>> = settingSpecs
    return name === 'invokerKeys' || name === 'secrets' || specs[name]?.secret !== undefined
  }
  return Object.freeze(Object.fromEntries(Object.entries(settings).filter(([name]) => !isSecret(name)))) as OpenSettings
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process. Nothing else reads it. */
export function processEnvironment(): Environment {
  return process.env
}

const invokerKeyPrefix = 'LLLM_API_KEY_'
const shownValueLengthMax = 64

/**
 * Reads the settings. A variable that is empty is one that is not set.
 *
 * @throws LllmError `invalid-settings`, which tells all wrong variables at once: what each holds, unless it is a secret, and
 *   what it should be.
 */
export function readSettings(env: Environment): Settings {
  const read = Object.entries(settingSpecs).map(([name, spec]) => ({ name, ...readSetting(spec, env) }))
  const mistakes = read.flatMap(({ mistake }) => mistake ?? [])
  if (mistakes.length > 0) throw new LllmError('invalid-settings', mistakes.join('\n'))
  const values = Object.fromEntries(read.map(({ name, value }) => [name, value])) as Values
  const { secrets, warnings } = findSecrets(env, invokerKeyPrefix, values.redact)
  return Object.freeze({
    ...values,
    invokerKeys: readInvokerKeys(env),
    secrets,
    warnings: [
      ...read.flatMap(({ warning }) => warning ?? []),
      ...findUnknown(env).map((name) => `${name} is no setting. ${listKnown(name, knownVariables)}`),
      ...warnings,
    ],
  })
}

/** The key for an invoker that a config declares: `my-server` has it in `LLLM_API_KEY_MY_SERVER`. */
export function invokerKey(settings: Pick<Settings, 'invokerKeys'>, invoker: string): string | undefined {
  return settings.invokerKeys.get(invoker.toUpperCase().replaceAll('-', '_'))
}

interface ReadSetting {
  readonly value?: unknown
  readonly mistake?: string
  readonly warning?: string
}

function readSetting(spec: SettingSpec, env: Environment): ReadSetting {
  const variable = spec.variables.find((name) => isSet(env[name]))
  const given = variable === undefined ? spec.default : env[variable]
  if (given === undefined) return { value: undefined }
  const parsed = spec.schema.safeParse(given)
  if (parsed.success) return { value: parsed.data }
  const shown = spec.secret ? 'what it holds' : JSON.stringify(given.slice(0, shownValueLengthMax))
  const mistake = `${variable} must be ${spec.expects}, not ${shown}.`
  return spec.foreign ? { ...readSetting(spec, {}), warning: `${mistake} It is passed over.` } : { mistake }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}

function readInvokerKeys(env: Environment): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const [variable, value] of Object.entries(env)) {
    if (variable.startsWith(invokerKeyPrefix) && isSet(value)) keys.set(variable.slice(invokerKeyPrefix.length), value)
  }
  return keys
}

const knownVariables = Object.values(settingSpecs).flatMap(({ variables }) => variables)

function findUnknown(env: Environment): readonly string[] {
  const known = new Set<string>(knownVariables)
  return Object.keys(env).filter((name) => {
    return name.startsWith('LLLM_') && !name.startsWith(invokerKeyPrefix) && !known.has(name) && isSet(env[name])
  })
}

/** A setting as the docs tell it. */
export interface DocumentedSetting {
  readonly variables: readonly string[]
  readonly default: string | undefined
  readonly description: string
}

export const documentedSettings: readonly DocumentedSetting[] = [
  ...Object.values<SettingSpec>(settingSpecs).map(({ variables, default: value, description }) => {
    return { variables, default: value, description }
  }),
  {
    variables: [`${invokerKeyPrefix}<NAME>`],
    default: undefined,
    description: 'The key for the invoker `<name>` that a config declares, in upper case, `-` as `_`.',
  },
]
