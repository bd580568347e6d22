import type { FastifyBaseLogger } from 'fastify'
import { LllmError, listKnown } from './domain/errors.ts'
import { settingSpecs } from './setting-specs.ts'
import type { OpenSettings, Settings } from './settings.ts'

/** The settings that a service may have other than its runtime. They have the ranges of their variables, and their meaning. */
const workNames = [
  'bodyLimitBytes',
  'batchTasksMax',
  'batchWorkersMax',
  'callsMax',
  'queueMax',
  'timeoutMs',
  'runTimeoutMs',
  'graceMs',
] as const satisfies readonly (keyof Settings)[]

/** Who comes in, and how often. An application around the service says that for itself, unless it is said here. */
const doorNames = [
  'ratePerAddress',
  'ratePerKey',
  'loopDelayMaxMs',
  'securityHeaders',
  'corsOrigins',
  'allowedHosts',
] as const satisfies readonly (keyof Settings)[]

/** For whom a server is, and how connections are treated, which whoever has it decides. */
const listenerNames = [
  'open',
  'trustProxy',
  'connectionsMax',
  'connectionsPerAddress',
  'headersTimeoutMs',
  'requestTimeoutMs',
] as const satisfies readonly (keyof Settings)[]

type WorkName = (typeof workNames)[number]
type DoorName = (typeof doorNames)[number]
type ListenerName = (typeof listenerNames)[number]
type OptionName = WorkName | DoorName | ListenerName

/** What may be said of a service. What is left out is as the settings of its runtime say. */
export interface ServiceOptions extends Partial<Pick<Settings, WorkName>> {
  /** Where requests and failures are logged: by pino, or by something with its methods. */
  readonly logger?: FastifyBaseLogger
  /** Requests that an address may send in any 60 seconds. */
  readonly ratePerAddress?: number
  /** Requests that an API key may send in any 60 seconds. */
  readonly ratePerKey?: number
  /** The mean delay of the event loop, in milliseconds, above which requests are refused. 0: never. */
  readonly loopDelayMaxMs?: number
  readonly securityHeaders?: 'on' | 'off' | 'hsts'
  /** Origins of web pages, separated by commas, or `*`. */
  readonly corsOrigins?: string
  /** While there is no key: hosts that are answered for beside those of the machine itself, separated by commas, without ports. */
  readonly allowedHosts?: string
}

/** What may be said of a server: of the service, and of its connections. */
export interface ServerOptions extends ServiceOptions {
  /** Whether, while there is no key, everybody who reaches the server is answered, and not only its own machine. */
  readonly open?: boolean
  /** The addresses and networks of proxies, separated by commas. */
  readonly trustProxy?: string
  readonly connectionsMax?: number
  readonly connectionsPerAddress?: number
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
}

type ServerSettings = Pick<Settings, OptionName>
type GuestSettings = Pick<Settings, WorkName> & Partial<Pick<Settings, DoorName>>

/**
 * The settings of a server: what its options say, and else those of its runtime.
 *
 * @throws LllmError `invalid-settings`, which tells all options that are unknown or do not fit.
 */
export function readServerOptions(options: ServerOptions, settings: OpenSettings): ServerSettings {
  const names = [...workNames, ...doorNames, ...listenerNames]
  return { ...pick(settings, names), ...readOptions(options, names, ['logger']) } as ServerSettings
}

/**
 * The settings of a service in somebody's application: as those of a server, but what happens at the door is what the options say, and
 * nothing else.
 *
 * @param otherNames What the options may have besides.
 * @throws LllmError `invalid-settings`, which tells all options that are unknown or do not fit.
 */
export function readGuestOptions(
  options: ServiceOptions,
  settings: OpenSettings,
  otherNames: readonly string[],
): GuestSettings {
  const given = readOptions(options, [...workNames, ...doorNames], otherNames)
  return { ...pick(settings, workNames), ...given } as GuestSettings
}

type Values = Readonly<Record<string, unknown>>

function pick(settings: OpenSettings, names: readonly OptionName[]): Values {
  return Object.fromEntries(names.map((name) => [name, settings[name]]))
}

function readOptions(options: ServerOptions, names: readonly OptionName[], otherNames: readonly string[]): Values {
  const known = [...names, ...otherNames]
  const unknown = Object.keys(options).filter((name) => !known.includes(name))
  const read = names.map((name) => ({ name, ...readOption(name, options[name]) }))
  const mistakes = [
    ...unknown.map((name) => `There is no option "${name}". ${listKnown(name, known, known.length)}`),
    ...read.flatMap(({ mistake }) => mistake ?? []),
  ]
  if (mistakes.length > 0) throw new LllmError('invalid-settings', mistakes.join('\n'))
  return Object.fromEntries(read.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}

/** An option is a number, or true or false, where its variable holds one, and else a text like that of the variable. */
function readOption(name: OptionName, given: unknown): { readonly value?: unknown; readonly mistake?: string } {
  if (given === undefined) return {}
  const { schema, expects } = settingSpecs[name]
  const kind = kindOf(given)
  const parsed = schema.safeParse(kind === 'text' ? given : String(given))
  if (parsed.success && kindOf(parsed.data) === kind) return { value: parsed.data }
  return {
    mistake: `The option "${name}" must be ${expects}, not ${typeof given === 'number' ? given : typeof given}.`,
  }
}

function kindOf(value: unknown): 'number' | 'boolean' | 'text' {
  if (typeof value === 'number') return 'number'
  return typeof value === 'boolean' ? 'boolean' : 'text'
}
