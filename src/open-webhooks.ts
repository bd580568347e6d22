import type { World } from './domain/clock.ts'
import type { WebhookStore } from './domain/webhook-store.ts'
import { webhookRules } from './outbound-rules.ts'
import type { BackgroundWork } from './runs/background-work.ts'
import type { Settings } from './settings.ts'
import { judgeWebhookUrl } from './webhooks/judge-url.ts'
import type { WebhookEvent } from './webhooks/webhook-sender.ts'

export interface Webhooks {
  /** Says why the ends of runs may not be told at a URL; undefined: they may. */
  judge(url: string): string | undefined
  /** What delivers them, where they can be signed. */
  readonly work: readonly BackgroundWork[]
}

/** Puts together what tells the ends of runs. What it takes to send is loaded only where something can be sent. */
export async function openWebhooks(
  settings: Pick<Settings, 'webhookSecrets' | 'webhookAllowPrivate' | 'outboundAllow'>,
  store: WebhookStore,
  {
    world,
    onWebhookEvent = () => {},
  }: { readonly world: World; readonly onWebhookEvent?: (event: WebhookEvent) => void },
): Promise<Webhooks> {
  const rules = webhookRules(settings)
  const judge = (url: string) => judgeWebhookUrl(url, rules)
  if (rules.secrets.length === 0) return { judge, work: [] }
  const { createWebhookSender } = await import('./webhooks/webhook-sender.ts')
  return { judge, work: [createWebhookSender({ store, rules, clock: world.clock, onEvent: onWebhookEvent })] }
}
