import { z } from 'zod'
import { storeContents } from './domain/store-content.ts'
import type { SettingSpec } from './setting-spec.ts'

const redactMax = 100

/** The settings of what is kept secret. */
export const privacySettingSpecs = {
  redact: {
    variables: ['LLLM_REDACT'],
    description:
      'Names of further environment variables, separated by commas, whose values are taken out of logs, errors and sessions, as keys and passwords of the settings are.',
    expects: `the names of 1 to ${redactMax} variables, separated by commas`,
    schema: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .pipe(z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)).max(redactMax)),
  },
  storeContent: {
    variables: ['LLLM_STORE_CONTENT'],
    description:
      'What is stored of the texts of calls: `full`, `redacted`, without what looks like a secret, or `none`. A config can ask for less, by its `store_content`, and not for more.',
    default: 'full',
    expects: `one of ${storeContents.join(', ')}`,
    schema: z.enum(storeContents),
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
