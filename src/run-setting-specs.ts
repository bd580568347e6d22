import { z } from 'zod'
import { pathText, type SettingSpec, wholeNumber } from './setting-spec.ts'

/** The settings of work that goes on without its caller. */
export const runSettingSpecs = {
  role: {
    variables: ['LLLM_ROLE'],
    description:
      'What this process does: `server` answers requests, `worker` works on runs and answers requests as well, so that it can be probed, `all` does both. Other than `all` only with PostgreSQL.',
    default: 'all',
    expects: 'one of all, server, worker',
    schema: z.enum(['all', 'server', 'worker']),
  },
  runWorkers: {
    variables: ['LLLM_RUN_WORKERS'],
    description: 'Runs that this process has under way at once.',
    default: '50',
    expects: 'a whole number from 1 to 1000',
    schema: wholeNumber(1, 1_000),
  },
  runConcurrency: {
    variables: ['LLLM_RUN_CONCURRENCY'],
    description: 'Runs that may be under way at once, over all processes that share a database.',
    default: '1000',
    expects: 'a whole number from 1 to 100000',
    schema: wholeNumber(1, 100_000),
  },
  runTimeoutMs: {
    variables: ['LLLM_RUN_TIMEOUT_MS'],
    description: 'Milliseconds that a run may take, restarts included; also what it gets when it asks for nothing.',
    default: '86400000',
    expects: 'a whole number from 1 to 2592000000',
    schema: wholeNumber(1, 2_592_000_000),
  },
  runAttemptsMax: {
    variables: ['LLLM_RUN_ATTEMPTS_MAX'],
    description: 'Starts of one run. A run that has been started so often without coming to an end is given up.',
    default: '25',
    expects: 'a whole number from 1 to 10000',
    schema: wholeNumber(1, 10_000),
  },
  queuedRunsMax: {
    variables: ['LLLM_QUEUED_RUNS_MAX'],
    description: 'Runs of one tenant that may wait, due or not. Those beyond are refused as `rate-limited`.',
    default: '100000',
    expects: 'a whole number from 1 to 10000000',
    schema: wholeNumber(1, 10_000_000),
  },
  schedulesFile: {
    variables: ['LLLM_SCHEDULES'],
    description: 'A YAML file of schedules: which tactics are run at which times.',
    expects: 'the path of a file',
    schema: pathText,
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
