import type { AllowList } from '../outbound/allow-list.ts'
import { judgeAddress, type OutboundRules } from '../outbound/judge-address.ts'

const urlLengthMax = 2_048

export interface WebhookRules {
  /** With what webhooks are signed, or what that is derived from; the first is the newest. None: there are no webhooks. */
  readonly secrets: readonly string[]
  /** Whether they may go to `http` URLs and to addresses that are not of the public internet. */
  readonly allowPrivate: boolean
  /** What they may go to besides. */
  readonly allowed: AllowList
}

/** Says why the ends of runs may not be told at a URL; undefined: they may. What a name leads to is judged when it is looked up. */
export function judgeWebhookUrl(text: string, rules: WebhookRules): string | undefined {
  if (rules.secrets.length === 0) return 'cannot be told: set LLLM_WEBHOOK_SECRETS, so that webhooks can be signed'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.length > urlLengthMax) return `must be a URL of at most ${urlLengthMax} characters`
  if (url.username !== '' || url.password !== '') return 'must be a URL without a user and a password'
  return judgeAddress(url, outboundRules(rules))
}

export function outboundRules({ allowPrivate, allowed }: WebhookRules): OutboundRules {
  return { reach: allowPrivate ? 'anywhere' : 'public', allowed }
}
