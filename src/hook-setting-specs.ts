import { z } from 'zod'
import { type SettingSpec, trueOrFalse } from './setting-spec.ts'

/** The shortest and the longest key of a webhook secret, in bytes, by the specification of Standard Webhooks. */
const keyBytes = { min: 24, max: 64 }
const secretsMax = 10

const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/)
  .refine((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return key.length >= keyBytes.min && key.length <= keyBytes.max
  })

/** The settings of what happens around runs. */
export const hookSettingSpecs = {
  webhookSecrets: {
    variables: ['LLLM_WEBHOOK_SECRETS'],
    description:
      'With what webhooks are signed, and what the secrets of tenants are derived from: one or more secrets `whsec_…`, separated by commas. Left out: runs cannot have webhooks.',
    expects: `1 to ${secretsMax} secrets, separated by commas: whsec_ and the base64 of ${keyBytes.min} to ${keyBytes.max} bytes`,
    schema: z
      .string()
      .transform((text) => text.split(',').map((secret) => secret.trim()))
      .pipe(z.array(webhookSecret).max(secretsMax)),
    secret: true,
  },
  webhookAllowPrivate: {
    variables: ['LLLM_WEBHOOK_ALLOW_PRIVATE'],
    description: 'Whether webhooks may go to `http` URLs and to addresses of private networks: `true` or `false`.',
    default: 'false',
    ...trueOrFalse,
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
