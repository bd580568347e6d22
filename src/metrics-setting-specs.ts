import { z } from 'zod'
import type { SettingSpec } from './setting-spec.ts'

/** The settings of what is counted and measured. */
export const metricsSettingSpecs = {
  metrics: {
    variables: ['LLLM_METRICS'],
    description: 'Whether figures are counted, and told at `/metrics`: `on` or `off`.',
    default: 'on',
    expects: 'on or off',
    schema: z.enum(['on', 'off']),
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
