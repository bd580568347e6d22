import { emptyAllowList } from './outbound/allow-list.ts'
import { judgeAddress, type OutboundRules } from './outbound/judge-address.ts'
import type { Settings } from './settings.ts'
import type { WebhookRules } from './webhooks/judge-url.ts'

type OutboundSettings = Pick<Settings, 'outboundAllow'>

/** For addresses that the operator or an author has written down: MCP servers and remote tactics. Those of this host are meant. */
export function operatorRules({ outboundAllow: allowed = emptyAllowList }: OutboundSettings): OutboundRules {
  return { reach: 'loopback', allowed }
}

/** For the addresses of images, which callers may have given: a provider of one's own network would fetch what it is sent to. */
export function imageJudge({ outboundAllow: allowed = emptyAllowList }: OutboundSettings) {
  return (url: URL) => judgeAddress(url, { reach: 'public', allowed })
}

/** For the addresses at which the ends of runs are told. */
export function webhookRules({
  webhookSecrets: secrets = [],
  webhookAllowPrivate: allowPrivate,
  outboundAllow: allowed = emptyAllowList,
}: Pick<Settings, 'webhookSecrets' | 'webhookAllowPrivate' | 'outboundAllow'>): WebhookRules {
  return { secrets, allowPrivate, allowed }
}
