import { z } from 'zod'
import { type SettingSpec, trueOrFalse } from './setting-spec.ts'

/** The settings of who may call. */
export const accessSettingSpecs = {
  open: {
    variables: ['LLLM_OPEN'],
    description:
      'Whether a service without any key answers everybody who reaches it: `true` or `false`. Otherwise it then listens on this machine only, whatever LLLM_HOST says, and answers this machine only.',
    default: 'false',
    ...trueOrFalse,
  },
  jwksUrl: {
    variables: ['LLLM_JWKS_URL'],
    description: 'Where the public keys are of whoever issues tokens. Left out: only keys of `lllm keys` are known.',
    expects: 'an https URL, or an http URL of this machine',
    schema: z.url({ protocol: /^https?$/ }).refine((url) => {
      const { protocol, hostname } = new URL(url)
      return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
    }),
  },
  jwtIssuer: {
    variables: ['LLLM_JWT_ISSUER'],
    description: 'Who has to have issued a token: its claim `iss`.',
    expects: 'a text of up to 1024 characters',
    schema: z.string().max(1_024),
  },
  jwtAudience: {
    variables: ['LLLM_JWT_AUDIENCE'],
    description: 'For whom a token has to be: its claim `aud`.',
    expects: 'a text of up to 1024 characters',
    schema: z.string().max(1_024),
  },
  jwtTenantClaim: {
    variables: ['LLLM_JWT_TENANT_CLAIM'],
    description: 'Which claim of a token names the tenant.',
    default: 'tenant',
    expects: 'the name of a claim',
    schema: z.string().regex(/^[A-Za-z0-9_.:/-]{1,256}$/),
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
