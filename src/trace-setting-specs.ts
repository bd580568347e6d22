import { z } from 'zod'
import type { SettingSpec } from './setting-spec.ts'

const listLengthMax = 8_192
const pairPattern = /^([^=]+)=(.*)$/s

/** `name=value,name=value`, the values percent-encoded: the form in which OpenTelemetry's variables hold lists. */
const pairs = z
  .string()
  .max(listLengthMax)
  .transform((text, context) => {
    const read = text.split(',').flatMap((pair) => (pair.trim() === '' ? [] : [readPair(pair)]))
    if (read.every((pair) => pair !== undefined)) return Object.fromEntries(read) as Readonly<Record<string, string>>
    context.addIssue({ code: 'custom', message: 'is no list of name=value' })
    return z.NEVER
  })

function readPair(text: string): readonly [string, string] | undefined {
  const [, name = '', value = ''] = pairPattern.exec(text.trim()) ?? []
  if (name === '') return undefined
  try {
    return [name.trim(), decodeURIComponent(value.trim())]
  } catch {
    return undefined
  }
}

/** What a header may be named, and what it may hold. */
const isHeader = ([name, value]: readonly [string, string]) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\x20-\x7e]*$/.test(value)

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

const trueOrFalse = z
  .string()
  .regex(/^(?:true|false)$/i)
  .transform((text) => text.toLowerCase() === 'true')
const endpoint = z.url({ protocol: /^https?$/ })

/** The settings of traces: OpenTelemetry's own variables, as far as they are read, and one of ours. */
export const traceSettingSpecs = {
  otlpTracesEndpoint: {
    variables: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    description: 'Where traces are sent, by OTLP over HTTP. The URL is used as it is.',
    expects: 'an http or https URL',
    schema: endpoint,
    secret: 'url',
    foreign: true,
  },
  otlpEndpoint: {
    variables: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    description:
      'The same for a receiver of all kinds of telemetry: `/v1/traces` is put after it. With neither, no traces are sent.',
    expects: 'an http or https URL',
    schema: endpoint,
    secret: 'url',
    foreign: true,
  },
  tracesExporter: {
    variables: ['OTEL_TRACES_EXPORTER'],
    description: 'How traces are sent: `otlp`, or `none`, where the receiver is for other telemetry alone.',
    default: 'otlp',
    expects: 'one of otlp, none',
    schema: z.enum(['otlp', 'none']),
    foreign: true,
  },
  otlpHeaders: {
    variables: ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    description: 'Headers that traces are sent with, such as a key: `name=value,name=value`, values percent-encoded.',
    expects: 'a list name=value,name=value of headers, with percent-encoded values',
    schema: pairs.refine((headers) => Object.entries(headers).every(isHeader)),
    secret: true,
    foreign: true,
  },
  serviceName: {
    variables: ['OTEL_SERVICE_NAME'],
    description: 'What the service is called in traces.',
    default: 'lllm',
    expects: 'a name of up to 255 characters',
    schema: z.string().max(255),
    foreign: true,
  },
  resourceAttributes: {
    variables: ['OTEL_RESOURCE_ATTRIBUTES'],
    description:
      'What else traces say of this process: `deployment.environment.name=production,…`, values percent-encoded.',
    expects: 'a list name=value,name=value, with percent-encoded values',
    schema: pairs,
    foreign: true,
  },
  traceSampler: {
    variables: ['OTEL_TRACES_SAMPLER'],
    description:
      'Which traces are told: `always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`, for which the caller decides, if there is one.',
    default: 'parentbased_always_on',
    expects: `one of ${samplers.join(', ')}`,
    schema: z.enum(samplers),
    foreign: true,
  },
  traceSamplerArg: {
    variables: ['OTEL_TRACES_SAMPLER_ARG'],
    description: 'The share of traces that `traceidratio` tells, from 0 to 1.',
    default: '1',
    expects: 'a number from 0 to 1',
    schema: z
      .string()
      .regex(/^(?:0|1|[01]?\.\d{1,12}|1\.0{1,12})$/)
      .transform(Number)
      .pipe(z.number().min(0).max(1)),
    foreign: true,
  },
  traceContent: {
    variables: ['LLLM_TRACE_CONTENT'],
    description: 'Whether traces hold the texts of tasks, prompts, replies and tools: `true` or `false`.',
    default: 'false',
    expects: 'true or false',
    schema: trueOrFalse,
  },
  otelDisabled: {
    variables: ['OTEL_SDK_DISABLED'],
    description: 'Whether no traces are told at all, whatever else is set: `true` or `false`.',
    default: 'false',
    expects: 'true or false',
    schema: trueOrFalse,
    foreign: true,
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
