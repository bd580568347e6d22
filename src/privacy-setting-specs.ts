import { z } from 'zod'
import { storeContents } from './domain/store-content.ts'
import { readAllowList } from './outbound/allow-list.ts'
import type { SettingSpec } from './setting-spec.ts'

const redactMax = 100
const allowedMax = 100

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
  outboundAllow: {
    variables: ['LLLM_OUTBOUND_ALLOW'],
    description:
      'What may be reached beside the public internet by https, by webhooks, MCP servers, remote tactics and images: hosts, hosts with ports, addresses and networks, separated by commas, such as `mcp.internal:8080,10.0.0.0/8`.',
    expects: `1 to ${allowedMax} hosts, hosts with ports, addresses or networks, separated by commas: mcp.internal:8080,10.0.0.0/8`,
    schema: z
      .string()
      .transform((text) => text.split(',').map((entry) => entry.trim()))
      .transform((entries) => entries.filter((entry) => entry !== ''))
      .pipe(z.array(z.string()).max(allowedMax))
      .transform((entries, context) => {
        const list = readAllowList(entries)
        if (list === undefined) context.addIssue('One of them is none of these.')
        return list ?? z.NEVER
      }),
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
