import { isIP } from 'node:net'
import { isPublicAddress } from './public-addresses.ts'

const urlLengthMax = 2_048

export interface WebhookRules {
  /** With what webhooks are signed; the first is the newest. None: there are no webhooks. */
  readonly secrets: readonly string[]
  /** Whether they may go to `http` URLs and to addresses that are not of the public internet. */
  readonly allowPrivate: boolean
}

/** Says why the ends of runs may not be told at a URL; undefined: they may. What a name leads to is judged when it is looked up. */
export function judgeWebhookUrl(text: string, { secrets, allowPrivate }: WebhookRules): string | undefined {
  if (secrets.length === 0) return 'cannot be told: set LLLM_WEBHOOK_SECRETS, so that webhooks can be signed'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.length > urlLengthMax) return `must be a URL of at most ${urlLengthMax} characters`
  if (url.username !== '' || url.password !== '') return 'must be a URL without a user and a password'
  if (allowPrivate) return /^https?:$/.test(url.protocol) ? undefined : 'must be an http or https URL'
  if (url.protocol !== 'https:') return 'must be an https URL'
  return isPublicHost(url)
    ? undefined
    : 'must lead to a public address, not to one of a private network or of this host'
}

function isPublicHost({ hostname }: URL): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return isPublicAddress(address)
  // What a resolver would look up, too, but there is nothing to wait for.
  return !/(?:^|\.)localhost\.?$/.test(hostname)
}
