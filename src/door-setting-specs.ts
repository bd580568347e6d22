import { isIP } from 'node:net'
import { z } from 'zod'
import { type SettingSpec, wholeNumber } from './setting-spec.ts'

const originsMax = 100
const hostsMax = 100
const rate = wholeNumber(1, 1_000_000_000)

function listOf(text: string): readonly string[] {
  return text.split(',').map((item) => item.trim())
}

const networkNames = ['loopback', 'linklocal', 'uniquelocal']

/** An address, a network in CIDR notation, or one of the names that stand for some. */
function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(address)
  if (family === 0) return networkNames.includes(text)
  // A network of no bits is everybody.
  return bits === undefined || (Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128))
}

/** The name or address of a host, as it stands in a URL: an IPv6 address in brackets. */
function hostText(text: string): string {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  // As clients write it: an IPv6 address has many forms.
  return isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname : text.toLowerCase().replace(/\.$/, '')
}

function isHost(text: string): boolean {
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(text) || isIP(/^\[(.*)\]$/.exec(text)?.[1] ?? '') === 6
}

/** As browsers write it: `https://app.example.org`, with a port where that is not the usual one. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/** The settings of what happens before a request is looked at. */
export const doorSettingSpecs = {
  ratePerAddress: {
    variables: ['LLLM_RATE_PER_ADDRESS'],
    description:
      'Requests that one address may send in any 60 seconds; an IPv6 network of 64 bits is one. Left out: no limit.',
    expects: 'a whole number from 1 to 1000000000',
    schema: rate,
  },
  ratePerKey: {
    variables: ['LLLM_RATE_PER_KEY'],
    description: 'Requests that one API key may send in any 60 seconds. Left out: no limit.',
    expects: 'a whole number from 1 to 1000000000',
    schema: rate,
  },
  trustProxy: {
    variables: ['LLLM_TRUST_PROXY'],
    description:
      'Whose `X-Forwarded-For` is believed: the addresses and networks of the proxies in front, separated by commas. Left out: that of nobody.',
    expects: 'addresses and networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas',
    schema: z
      .string()
      .max(4_096)
      .refine((text) => listOf(text).every(isNetwork))
      .transform((text) => listOf(text).join(',')),
  },
  allowedHosts: {
    variables: ['LLLM_ALLOWED_HOSTS'],
    description:
      'While there is no key: the hosts that are answered for, by which the service is reached, beside localhost, 127.0.0.1 and [::1]; separated by commas, without ports. Left out: no others, or all with LLLM_OPEN.',
    expects: `up to ${hostsMax} names and addresses of hosts, separated by commas, without ports`,
    schema: z
      .string()
      .max(32_768)
      .transform((text) => listOf(text).map(hostText))
      .refine((hosts) => hosts.length <= hostsMax && hosts.every(isHost)),
  },
  connectionsMax: {
    variables: ['LLLM_CONNECTIONS_MAX'],
    description: 'Connections that may be open at once. Those beyond are closed at once.',
    default: '20000',
    expects: 'a whole number from 1 to 1000000',
    schema: wholeNumber(1, 1_000_000),
  },
  connectionsPerAddress: {
    variables: ['LLLM_CONNECTIONS_PER_ADDRESS'],
    description:
      'Connections that one address may have open at once; an IPv6 network of 64 bits is one. Those beyond are closed at once. Proxies that LLLM_TRUST_PROXY names have no such limit.',
    default: '5000',
    expects: 'a whole number from 1 to 1000000',
    schema: wholeNumber(1, 1_000_000),
  },
  headersTimeoutMs: {
    variables: ['LLLM_HEADERS_TIMEOUT_MS'],
    description: 'Milliseconds in which the headers of a request have to arrive.',
    default: '15000',
    expects: 'a whole number from 100 to 3600000',
    schema: wholeNumber(100, 3_600_000),
  },
  requestTimeoutMs: {
    variables: ['LLLM_REQUEST_TIMEOUT_MS'],
    description: 'Milliseconds in which a whole request has to arrive, with its body.',
    default: '60000',
    expects: 'a whole number from 100 to 3600000',
    schema: wholeNumber(100, 3_600_000),
  },
  loopDelayMaxMs: {
    variables: ['LLLM_LOOP_DELAY_MAX_MS'],
    description:
      'Requests are refused as `overloaded` while the event loop was late by more milliseconds than this, on average over a second. 0: never.',
    default: '2000',
    expects: 'a whole number from 0 to 60000',
    schema: wholeNumber(0, 60_000),
  },
  securityHeaders: {
    variables: ['LLLM_SECURITY_HEADERS'],
    description:
      'Whether answers tell browsers what not to do with them: `on`, `off`, or `hsts`, which is `on` and has browsers come by https only.',
    default: 'on',
    expects: 'one of on, off, hsts',
    schema: z.enum(['on', 'off', 'hsts']),
  },
  corsOrigins: {
    variables: ['LLLM_CORS_ORIGINS'],
    description:
      'The origins of web pages that may use the service from a browser, separated by commas, or `*` for all. Left out: none.',
    expects: `* alone, or up to ${originsMax} origins such as https://app.example.org, separated by commas`,
    schema: z
      .string()
      .max(32_768)
      .transform(listOf)
      .refine((origins) => origins.length <= originsMax)
      .refine((origins) => origins.every(isOrigin) || (origins.length === 1 && origins[0] === '*')),
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
