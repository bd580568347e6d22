import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isLllmError } from '../src/domain/errors.ts'
import { documentedSettings, invokerKey, readSettings, withoutSecrets } from '../src/settings.ts'

function mistakesOf(env: Record<string, string>): string {
  try {
    readSettings(env)
  } catch (error) {
    if (isLllmError(error) && error.code === 'invalid-settings') return error.message
    throw error
  }
  return ''
}

describe('without any variable', () => {
  test('every setting has its default or is not set', () => {
    expect(readSettings({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      database: './data/lllm.db',
      migrate: 'boot',
      manifestFile: undefined,
      homeFolder: '~/.lllm',
      openaiApiKey: undefined,
      openaiBaseUrl: undefined,
      logLevel: 'info',
      pricesFile: undefined,
      mcpFile: undefined,
      providerConcurrency: 1_000,
      providerRequestsPerMinute: undefined,
      providerTokensPerMinute: undefined,
      bodyLimitBytes: 10 * 1024 * 1024,
      batchTasksMax: 10_000,
      batchWorkersMax: 1_000,
      callsMax: 1_000,
      queueMax: 1_000,
      timeoutMs: 600_000,
      graceMs: 8_000,
      open: false,
      jwtTenantClaim: 'tenant',
      role: 'all',
      runWorkers: 50,
      runConcurrency: 1_000,
      runTimeoutMs: 86_400_000,
      runAttemptsMax: 25,
      queuedRunsMax: 100_000,
      webhookAllowPrivate: false,
      tracesExporter: 'otlp',
      serviceName: 'lllm',
      traceSampler: 'parentbased_always_on',
      traceSamplerArg: 1,
      traceContent: false,
      otelDisabled: false,
      metrics: 'on',
      storeContent: 'full',
      connectionsMax: 20_000,
      connectionsPerAddress: 5_000,
      headersTimeoutMs: 15_000,
      requestTimeoutMs: 60_000,
      loopDelayMaxMs: 2_000,
      securityHeaders: 'on',
      invokerKeys: new Map(),
      secrets: [],
      warnings: [],
    })
  })

  test('an empty variable is one that is not set', () => {
    expect(readSettings({ LLLM_PORT: '', LLLM_HOST: '', OPENAI_API_KEY: '' })).toEqual(readSettings({}))
  })
})

test('a database is given by its path or by its file: URL', () => {
  expect(readSettings({ LLLM_DATABASE: '/srv/lllm.db' }).database).toBe('/srv/lllm.db')
  expect(readSettings({ LLLM_DATABASE: 'file:///srv/lllm.db' }).database).toBe('file:///srv/lllm.db')
})

test('settings cannot be changed', () => {
  expect(Object.isFrozen(readSettings({}))).toBe(true)
})

test('LLLM_PORT goes before PORT, which hosts set', () => {
  expect(readSettings({ PORT: '3000' }).port).toBe(3000)
  expect(readSettings({ PORT: '3000', LLLM_PORT: '4000' }).port).toBe(4000)
  expect(readSettings({ PORT: '3000', LLLM_PORT: '' }).port).toBe(3000)
})

test('the key of an invoker that a config declares is found by its name', () => {
  const settings = readSettings({ LLLM_API_KEY_MY_SERVER: 'abc', LLLM_API_KEY_OTHER: '' })
  expect(invokerKey(settings, 'my-server')).toBe('abc')
  expect(invokerKey(settings, 'my_server')).toBe('abc')
  expect(invokerKey(settings, 'other')).toBeUndefined()
})

test('the lists of OpenTelemetry’s variables are read as it writes them', () => {
  const read = readSettings({
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi, x-empty=,x-equals=a=b,',
    OTEL_RESOURCE_ATTRIBUTES: 'host.name=bee%C3%A9',
  })
  expect(read.otlpHeaders).toEqual({ authorization: 'Basic YTpi', 'x-empty': '', 'x-equals': 'a=b' })
  expect(read.resourceAttributes).toEqual({ 'host.name': 'beeé' })
})

test('a variable of OpenTelemetry that holds what others understand is warned of and passed over', () => {
  const { warnings, ...read } = readSettings({ OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_TRACES_SAMPLER_ARG: '1.5' })
  expect(read).toMatchObject({ traceSampler: 'parentbased_always_on', traceSamplerArg: 1 })
  expect(warnings).toEqual([
    expect.stringMatching(
      /^OTEL_TRACES_SAMPLER must be one of always_on, .*, not "jaeger_remote"\. It is passed over\.$/,
    ),
    'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "1.5". It is passed over.',
  ])
  for (const wrong of ['canary', 'a b=canary', 'a=%zzcanary', 'a=canary%0a', '=canary']) {
    const { otlpHeaders, warnings: told } = readSettings({ OTEL_EXPORTER_OTLP_HEADERS: wrong })
    expect(otlpHeaders).toBeUndefined()
    expect(told).toEqual([
      'OTEL_EXPORTER_OTLP_HEADERS must be a list name=value,name=value of headers, with percent-encoded values, not what it holds. It is passed over.',
    ])
  }
})

describe('a mistake', () => {
  test.each([
    ['LLLM_PORT', 'eighty', 'LLLM_PORT must be a whole number from 0 to 65535, not "eighty".'],
    ['PORT', '70000', 'PORT must be a whole number from 0 to 65535, not "70000".'],
    [
      'LLLM_LOG_LEVEL',
      'loud',
      'LLLM_LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud".',
    ],
    ['LLLM_TIMEOUT_MS', '-1', 'LLLM_TIMEOUT_MS must be a whole number from 1 to 86400000, not "-1".'],
    ['LLLM_BATCH_WORKERS_MAX', '1e3', 'LLLM_BATCH_WORKERS_MAX must be a whole number from 1 to 1000, not "1e3".'],
  ])('in %s is told with what would be right', (variable, value, message) => {
    expect(mistakesOf({ [variable]: value })).toBe(message)
  })

  test('in several variables is told of all of them at once', () => {
    expect(mistakesOf({ LLLM_PORT: 'x', LLLM_GRACE_MS: 'y' }).split('\n')).toHaveLength(2)
  })

  test('in a secret does not show the secret', () => {
    expect(mistakesOf({ OPENAI_API_KEY: 'sk-with space' })).toBe(
      'OPENAI_API_KEY must be a key without white space, not what it holds.',
    )
    expect(mistakesOf({ OPENAI_BASE_URL: 'ftp://user:hunter2@host' })).not.toContain('hunter2')
    expect(mistakesOf({ LLLM_DATABASE: 'mysql://user:hunter2@host/sessions' })).toBe(
      'LLLM_DATABASE must be the path of a file, a file: URL, a postgres: URL, or :memory:, not what it holds.',
    )
  })
})

test('a variable that looks like one of ours but is none is warned of, with the likely one', () => {
  const { warnings } = readSettings({ LLLM_PROT: '8080', LLLM_API_KEY_X: 'a-key-of-8-or-more', HOME: '/root' })
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/^LLLM_PROT is no setting\. Did you mean "LLLM_PORT"\?/)
})

test('docs/configuration.md has exactly these settings, with their defaults and descriptions', () => {
  const docs = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
  const rows = docs.split('\n').filter((line) => /^\| `(LLLM|OPENAI|PORT|OTEL)/.test(line))
  const expected = documentedSettings.map(({ variables, default: value, description }) => {
    const names = variables.map((name) => `\`${name}\``).join(', ')
    return `| ${names} | ${value === undefined ? '' : `\`${value}\``} | ${description} |`
  })
  expect(rows).toEqual(expected)
})

test('what may be shown of them holds no secret', () => {
  const secrets = {
    OPENAI_API_KEY: 'sk-canary',
    OPENAI_BASE_URL: 'https://user:canary@host/v1',
    LLLM_DATABASE: 'file:///canary.db',
    LLLM_API_KEY_OTHER: 'canary',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:canary@host',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://host/canary',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary',
  }
  const shown = withoutSecrets(readSettings({ ...secrets, LLLM_PORT: '81' }))
  expect(shown).toMatchObject({ port: 81, timeoutMs: 600_000 })
  expect(inspect(shown, { depth: 9 })).not.toContain('canary')
})
