import { z } from 'zod'
import { accessSettingSpecs } from './access-setting-specs.ts'
import { doorSettingSpecs } from './door-setting-specs.ts'
import { hookSettingSpecs } from './hook-setting-specs.ts'
import { metricsSettingSpecs } from './metrics-setting-specs.ts'
import { privacySettingSpecs } from './privacy-setting-specs.ts'
import { retentionSettingSpecs } from './retention-setting-specs.ts'
import { runSettingSpecs } from './run-setting-specs.ts'
import { pathText, type SettingSpec, wholeNumber } from './setting-spec.ts'
import { traceSettingSpecs } from './trace-setting-specs.ts'

const text = z.string()
const port = wholeNumber(0, 65_535)

/** The settings by the names that the code gives them. */
export const settingSpecs = {
  port: {
    variables: ['LLLM_PORT', 'PORT'],
    description: 'The port to listen on. 0 takes any that is free.',
    default: '8080',
    expects: 'a whole number from 0 to 65535',
    schema: port,
  },
  host: {
    variables: ['LLLM_HOST'],
    description: 'The address to listen on. The Docker image sets 0.0.0.0.',
    default: '127.0.0.1',
    expects: 'a host name or an IP address',
    schema: text.regex(/^[A-Za-z0-9.:_-]{1,255}$/),
  },
  database: {
    variables: ['LLLM_DATABASE'],
    description:
      'The file that keeps sessions and runs, the `postgres://` URL of a database that several processes can share, or `:memory:` to keep them in the process only.',
    default: './data/lllm.db',
    expects: 'the path of a file, a file: URL, a postgres: URL, or :memory:',
    schema: pathText.refine((value) => !/^(?!file:|postgres(?:ql)?:)[a-z][a-z0-9+.-]*:\/\//i.test(value)),
    secret: 'url',
  },
  migrate: {
    variables: ['LLLM_MIGRATE'],
    description:
      'When the tables of the database are brought up to date: `boot`, at the start; `never`, by `lllm db migrate` alone: a process refuses to start on tables that are behind.',
    default: 'boot',
    expects: 'one of boot, never',
    schema: z.enum(['boot', 'never']),
  },
  manifestFile: {
    variables: ['LLLM_CONFIG'],
    description: 'The `lllm.toml` to serve. Left out: the nearest one upward of the working directory.',
    expects: 'the path of a file',
    schema: pathText,
  },
  homeFolder: {
    variables: ['LLLM_HOME'],
    description: "Where the user's own packages are, in `packages/`, for all projects. `~` is the home folder.",
    default: '~/.lllm',
    expects: 'the path of a folder',
    schema: pathText,
  },
  openaiApiKey: {
    variables: ['OPENAI_API_KEY'],
    description: 'The key for the default provider. With neither key nor base URL the model is simulated.',
    expects: 'a key without white space',
    schema: text.regex(/^[\x21-\x7e]{1,4096}$/),
    secret: true,
  },
  openaiBaseUrl: {
    variables: ['OPENAI_BASE_URL'],
    description: 'Where the default provider is, if not at OpenAI. Enough by itself for servers that need no key.',
    expects: 'an http or https URL',
    schema: z.url({ protocol: /^https?$/ }),
    secret: 'url',
  },
  logLevel: {
    variables: ['LLLM_LOG_LEVEL'],
    description: 'How much is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
    default: 'info',
    expects: 'one of fatal, error, warn, info, debug, trace, silent',
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  },
  pricesFile: {
    variables: ['LLLM_PRICES'],
    description: 'A file of prices that go before the built-in ones.',
    expects: 'the path of a file',
    schema: pathText,
  },
  budgetsFile: {
    variables: ['LLLM_BUDGETS'],
    description: 'A YAML file of standing budgets: what may be spent in a day or a month.',
    expects: 'the path of a file',
    schema: pathText,
  },
  mcpFile: {
    variables: ['LLLM_MCP_CONFIG'],
    description: 'A JSON file of the MCP servers that prompts may use: `{"mcpServers": {…}}`.',
    expects: 'the path of a file',
    schema: pathText,
  },
  providerConcurrency: {
    variables: ['LLLM_PROVIDER_CONCURRENCY'],
    description: 'Requests that may be under way at once to each model of the default provider. Others wait.',
    default: '1000',
    expects: 'a whole number from 1 to 100000',
    schema: wholeNumber(1, 100_000),
  },
  providerRequestsPerMinute: {
    variables: ['LLLM_PROVIDER_REQUESTS_PER_MINUTE'],
    description: 'Requests to each model of the default provider in any 60 seconds. Left out: no limit.',
    expects: 'a whole number from 1 to 1000000000',
    schema: wholeNumber(1, 1_000_000_000),
  },
  providerTokensPerMinute: {
    variables: ['LLLM_PROVIDER_TOKENS_PER_MINUTE'],
    description: 'Tokens to and from each model of the default provider in any 60 seconds. Left out: no limit.',
    expects: 'a whole number from 1 to 100000000000',
    schema: wholeNumber(1, 100_000_000_000),
  },
  bodyLimitBytes: {
    variables: ['LLLM_BODY_LIMIT_BYTES'],
    description: "Bytes that a request's body may have.",
    default: '10485760',
    expects: 'a whole number from 1024 to 1073741824',
    schema: wholeNumber(1_024, 1_073_741_824),
  },
  batchTasksMax: {
    variables: ['LLLM_BATCH_TASKS_MAX'],
    description: 'Tasks that one batch may have, of calls or of runs. Of runs no more than 100,000.',
    default: '10000',
    expects: 'a whole number from 1 to 1000000',
    schema: wholeNumber(1, 1_000_000),
  },
  batchWorkersMax: {
    variables: ['LLLM_BATCH_WORKERS_MAX'],
    description: 'Workers that one batch may ask for.',
    default: '1000',
    expects: 'a whole number from 1 to 1000',
    schema: wholeNumber(1, 1_000),
  },
  callsMax: {
    variables: ['LLLM_CALLS_MAX'],
    description: 'Calls that may be under way at once. A batch counts as many as it has workers.',
    default: '1000',
    expects: 'a whole number from 1 to 100000',
    schema: wholeNumber(1, 100_000),
  },
  queueMax: {
    variables: ['LLLM_QUEUE_MAX'],
    description: 'Calls that may wait for others to end. Those beyond are refused as `overloaded`.',
    default: '1000',
    expects: 'a whole number from 0 to 1000000',
    schema: wholeNumber(0, 1_000_000),
  },
  timeoutMs: {
    variables: ['LLLM_TIMEOUT_MS'],
    description: 'Milliseconds that a call may take; also what it gets when it asks for nothing.',
    default: '600000',
    expects: 'a whole number from 1 to 86400000',
    schema: wholeNumber(1, 86_400_000),
  },
  graceMs: {
    variables: ['LLLM_GRACE_MS'],
    description:
      'Milliseconds that calls under way are given to end when the service is stopped. Docker kills after 10 s.',
    default: '8000',
    expects: 'a whole number from 0 to 3600000',
    schema: wholeNumber(0, 3_600_000),
  },
  ...accessSettingSpecs,
  ...runSettingSpecs,
  ...hookSettingSpecs,
  ...traceSettingSpecs,
  ...retentionSettingSpecs,
  ...metricsSettingSpecs,
  ...privacySettingSpecs,
  ...doorSettingSpecs,
} as const satisfies Readonly<Record<string, SettingSpec>>
